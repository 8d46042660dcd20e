/**
 * An encoded image as the screen needs it: a preview at once, and parts in full resolution on demand. A large
 * image is never held decoded as a whole. The browser decodes off the main thread.
 */

import { measure } from '../../files/decoder';
import {
  areaOf,
  contains,
  lengthOf,
  type Rect,
  type Size,
  sizeOf,
  type Span,
  wholeOf,
} from '../../imaging/geometry';

const PREVIEW_SIDE_PX = 2048;
/** Images of up to so many pixels, 4 bytes each, are decoded once and kept. */
const KEPT_PIXELS = 16_000_000;
/** How much larger than the visible part a decoded part is on each side, so that short moves need no other. */
const MARGIN = 0.5;
const MAX_PART_PIXELS = 16_000_000;

interface Part {
  area: Rect;
  bitmap: ImageBitmap;
}

export interface ImageSource {
  readonly size: Size;
  readonly preview: ImageBitmap;
  /** The part in full resolution that covers the area, if it is decoded already. */
  part(area: Rect): Part | null;
  /** Has the area decoded. One is decoded at a time, and only the latest of those that wait. */
  request(area: Rect, onReady: () => void): void;
  close(): void;
}

/** Rejects if this browser cannot decode the file. A known `size` spares a decoding. */
export async function openSource(blob: Blob, size: Size | null): Promise<ImageSource> {
  const known = size ?? (await measure(blob));
  const ratio = Math.min(1, PREVIEW_SIDE_PX / Math.max(known.widthPx, known.heightPx));
  const isKept = areaOf(known) <= KEPT_PIXELS;
  const preview = await createImageBitmap(
    blob,
    isKept || ratio === 1
      ? {}
      : {
          resizeWidth: Math.max(1, Math.round(known.widthPx * ratio)),
          resizeHeight: Math.max(1, Math.round(known.heightPx * ratio)),
          resizeQuality: 'high',
        },
  );
  return new DecodedSource(blob, known, preview, isKept);
}

class DecodedSource implements ImageSource {
  readonly size: Size;
  readonly preview: ImageBitmap;
  private readonly blob: Blob;
  private readonly isWhole: boolean;
  private current: Part | null = null;
  private wanted: { area: Rect; onReady: () => void } | null = null;
  private isDecoding = false;
  private isClosed = false;

  constructor(blob: Blob, size: Size, preview: ImageBitmap, isWhole: boolean) {
    this.blob = blob;
    this.size = size;
    this.preview = preview;
    this.isWhole = isWhole;
  }

  part(area: Rect): Part | null {
    if (this.isWhole) return { area: wholeOf(this.size), bitmap: this.preview };
    return this.current && contains(this.current.area, area) ? this.current : null;
  }

  request(area: Rect, onReady: () => void): void {
    if (this.isWhole || areaOf(sizeOf(area)) > MAX_PART_PIXELS || this.part(area)) return;
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
        const bitmap = await decodeArea(this.blob, area);
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

export function decodeArea(file: Blob, { x, y }: Rect): Promise<ImageBitmap> {
  return createImageBitmap(file, x.start, y.start, lengthOf(x), lengthOf(y));
}

export function withMargin(area: Rect, size: Size): Rect {
  const wider = { x: widerSpan(area.x, size.widthPx), y: widerSpan(area.y, size.heightPx) };
  return areaOf(sizeOf(wider)) > MAX_PART_PIXELS ? area : wider;
}

function widerSpan(span: Span, lengthPx: number): Span {
  const margin = lengthOf(span) * MARGIN;
  return {
    start: Math.max(0, Math.floor(span.start - margin)),
    stop: Math.min(lengthPx, Math.ceil(span.stop + margin)),
  };
}
