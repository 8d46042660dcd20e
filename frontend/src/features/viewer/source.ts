/**
 * An encoded image as the screen needs it: a preview at once, and parts in full resolution on demand. A large
 * image is never held decoded as a whole; decoding happens off the main thread.
 */

import { measure } from '../../files/measure';
import type { Extent } from './view';

export const PREVIEW_SIDE_PX = 2048;
/** Images up to it are decoded once and kept: 4 bytes each. */
const KEPT_PIXELS = 16_000_000;
/** A part that is decoded is so much larger than what is seen, on each side, that short moves need no other. */
const MARGIN = 0.5;
const MOST_PART_PIXELS = 16_000_000;

export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Part {
  area: Area;
  bitmap: ImageBitmap;
}

export interface ImageSource {
  readonly size: Extent;
  readonly preview: ImageBitmap;
  /** The part in full resolution that covers the area, if it is there already. */
  part(area: Area): Part | null;
  /** Have it decoded; one at a time, and of those that wait only the latest. */
  request(area: Area, onReady: () => void): void;
  close(): void;
}

/** Rejects where this browser cannot decode the file. size: where it is known, spares a decoding. */
export async function openSource(blob: Blob, size: Extent | null): Promise<ImageSource> {
  const known = size ?? (await measure(blob));
  const pixels = known.width * known.height;
  const ratio = Math.min(1, PREVIEW_SIDE_PX / Math.max(known.width, known.height));
  const isKept = pixels <= KEPT_PIXELS;
  const preview = await createImageBitmap(
    blob,
    isKept || ratio === 1
      ? {}
      : {
          resizeWidth: Math.max(1, Math.round(known.width * ratio)),
          resizeHeight: Math.max(1, Math.round(known.height * ratio)),
          resizeQuality: 'high',
        },
  );
  return new DecodedSource(blob, known, preview, isKept);
}

class DecodedSource implements ImageSource {
  readonly size: Extent;
  readonly preview: ImageBitmap;
  private readonly blob: Blob;
  private readonly isWhole: boolean;
  private current: Part | null = null;
  private wanted: { area: Area; onReady: () => void } | null = null;
  private isDecoding = false;
  private isClosed = false;

  constructor(blob: Blob, size: Extent, preview: ImageBitmap, isWhole: boolean) {
    this.blob = blob;
    this.size = size;
    this.preview = preview;
    this.isWhole = isWhole;
  }

  part(area: Area): Part | null {
    if (this.isWhole) {
      return { area: { x: 0, y: 0, width: this.size.width, height: this.size.height }, bitmap: this.preview };
    }
    return this.current && contains(this.current.area, area) ? this.current : null;
  }

  request(area: Area, onReady: () => void): void {
    if (this.isWhole || area.width * area.height > MOST_PART_PIXELS || this.part(area)) return;
    this.wanted = { area: withMargin(area, this.size), onReady };
    if (!this.isDecoding) void this.decode();
  }

  close(): void {
    this.isClosed = true;
    this.wanted = null;
    this.preview.close();
    this.current?.bitmap.close();
  }

  private async decode(): Promise<void> {
    this.isDecoding = true;
    while (this.wanted && !this.isClosed) {
      const { area, onReady } = this.wanted;
      this.wanted = null;
      try {
        const bitmap = await createImageBitmap(this.blob, area.x, area.y, area.width, area.height);
        if (this.isClosed) {
          bitmap.close();
          break;
        }
        this.current?.bitmap.close();
        this.current = { area, bitmap };
        onReady();
      } catch {
        break; // the preview stays
      }
    }
    this.isDecoding = false;
  }
}

function contains(outer: Area, inner: Area): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    outer.x + outer.width >= inner.x + inner.width &&
    outer.y + outer.height >= inner.y + inner.height
  );
}

export function withMargin(area: Area, size: Extent): Area {
  const left = Math.max(0, Math.floor(area.x - area.width * MARGIN));
  const top = Math.max(0, Math.floor(area.y - area.height * MARGIN));
  const right = Math.min(size.width, Math.ceil(area.x + area.width * (1 + MARGIN)));
  const bottom = Math.min(size.height, Math.ceil(area.y + area.height * (1 + MARGIN)));
  if ((right - left) * (bottom - top) > MOST_PART_PIXELS) return area;
  return { x: left, y: top, width: right - left, height: bottom - top };
}
