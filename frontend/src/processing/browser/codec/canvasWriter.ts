/** JPEG and WebP, by the browser's own encoders, which take the whole image from a canvas. */

import { OUTPUT_FORMATS } from '../../../api/constants';
import type { Size } from '../../../imaging/geometry';
import type { Channels, ImageWriter } from '../../../imaging/pixels';
import { ProcessError } from '../../../lib/errors';

export type CanvasFormat = 'jpeg' | 'webp';

/** The limit of WebP. That of JPEG is beyond what a canvas can hold. */
const MAX_SIDE_PX = OUTPUT_FORMATS.webp.maxSidePx;
/** Each pixel takes 4 bytes of one block of memory, besides what the encoder takes. */
const MAX_CANVAS_PIXELS = 100_000_000;

export class CanvasWriter implements ImageWriter {
  private readonly canvas: OffscreenCanvas;
  private readonly context: OffscreenCanvasRenderingContext2D;
  private readonly channels: Channels;
  private readonly format: CanvasFormat;
  private readonly quality: number;
  private seenRows = 0;

  /**
   * quality: 1 to 100, or null for the format's default. WebP of quality 100 is lossless, as the service writes it.
   * Raises ProcessError if the image is too large.
   */
  constructor(size: Size, channels: Channels, format: CanvasFormat, quality: number | null) {
    const { widthPx, heightPx } = size;
    if (Math.max(widthPx, heightPx) > MAX_SIDE_PX || widthPx * heightPx > MAX_CANVAS_PIXELS) {
      throw new ProcessError(
        'too-large',
        `${widthPx}x${heightPx} px is more than this browser writes as ${format}: ` +
          `${MAX_SIDE_PX} px a side and ${MAX_CANVAS_PIXELS / 1e6} megapixels; PNG has no such limit`,
        { values: { megapixels: MAX_CANVAS_PIXELS / 1e6 } },
      );
    }
    this.canvas = new OffscreenCanvas(widthPx, heightPx);
    const context = this.canvas.getContext('2d', { alpha: format === 'webp', willReadFrequently: true });
    if (context === null || !holdsLastPixel(context, size)) {
      throw new ProcessError(
        'too-large',
        `${widthPx}x${heightPx} px is more than a canvas of this browser holds`,
      );
    }
    this.context = context;
    this.channels = channels;
    this.format = format;
    this.quality = quality ?? OUTPUT_FORMATS[format].defaultQuality;
  }

  write(rows: Uint8ClampedArray<ArrayBuffer>): Promise<void> {
    const { width } = this.canvas;
    const count = rows.length / (width * this.channels);
    const shown = toRgba(rows, this.channels, this.format === 'jpeg');
    this.context.putImageData(new ImageData(shown, width, count), 0, this.seenRows);
    this.seenRows += count;
    return Promise.resolve();
  }

  async finish(): Promise<Blob> {
    if (this.seenRows !== this.canvas.height) {
      throw new RangeError(`${this.seenRows} rows were written of ${this.canvas.height}`);
    }
    const type = OUTPUT_FORMATS[this.format].mediaType;
    const blob = await this.canvas.convertToBlob({ type, quality: this.quality / 100 });
    // A browser without the encoder writes a PNG instead, and only the type shows it.
    if (blob.type !== type) {
      throw new ProcessError('format-unavailable', `this browser cannot write ${this.format}`);
    }
    return blob;
  }
}

/** Above its limit, which differs between browsers, a canvas takes what is drawn, says nothing and stays empty. */
function holdsLastPixel(context: OffscreenCanvasRenderingContext2D, { widthPx, heightPx }: Size): boolean {
  try {
    const white = new ImageData(new Uint8ClampedArray(4).fill(255), 1);
    context.putImageData(white, widthPx - 1, heightPx - 1);
    return context.getImageData(widthPx - 1, heightPx - 1, 1, 1).data.every((value) => value === 255);
  } catch {
    return false;
  }
}

/** `onWhite` is for a format without transparency. */
export function toRgba(
  rows: Uint8ClampedArray<ArrayBuffer>,
  channels: Channels,
  onWhite: boolean,
): Uint8ClampedArray<ArrayBuffer> {
  if (channels === 4 && !onWhite) return rows;
  const [green, blue] = channels >= 3 ? [1, 2] : [0, 0];
  const shown = new Uint8ClampedArray((rows.length / channels) * 4);
  for (let from = 0, to = 0; from < rows.length; from += channels, to += 4) {
    const alpha = channels === 2 || channels === 4 ? (rows[from + channels - 1] as number) : 255;
    const share = onWhite ? alpha / 255 : 1;
    const white = 255 * (1 - share);
    shown[to] = share * (rows[from] as number) + white;
    shown[to + 1] = share * (rows[from + green] as number) + white;
    shown[to + 2] = share * (rows[from + blue] as number) + white;
    shown[to + 3] = onWhite ? 255 : alpha;
  }
  return shown;
}
