import { type Rect, type Size, wholeOf } from '../../../imaging/geometry';
import { LUMA } from '../../../imaging/pixels';
import { openReadback } from '../../../imaging/readback';
import type { Mask } from './mask';

const ROWS_AT_ONCE = 512;

export interface ImportedMask {
  /** The size of the file's image, before it was fitted to the mask. */
  size: Size;
  /** Replaces a mask by the import. */
  act: (mask: Mask) => Rect;
}

/** Reads an image as a mask and fits it to the size of another: pixels that are light and not transparent are set. */
export async function importMask(file: Blob, { widthPx, heightPx }: Size): Promise<ImportedMask> {
  const whole = await createImageBitmap(file);
  const size = { widthPx: whole.width, heightPx: whole.height };
  const values = new Uint8Array(widthPx * heightPx);
  try {
    const read = await openReadback();
    // The image is read in bands, since four bytes for each pixel of a large image would take much memory.
    for (let top = 0; top < heightPx; top += ROWS_AT_ONCE) {
      const rows = Math.min(ROWS_AT_ONCE, heightPx - top);
      const canvas = new OffscreenCanvas(widthPx, rows);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('there is no canvas');
      context.imageSmoothingEnabled = false;
      context.drawImage(whole, 0, -top, widthPx, heightPx);
      readBand(await read(canvas, rows), values.subarray(top * widthPx));
    }
  } finally {
    whole.close();
  }
  return {
    size,
    act: (mask) => {
      mask.data.set(values);
      return wholeOf(mask);
    },
  };
}

/** From RGBA bytes: 255 for a luma, over black, of at least half. */
export function readBand(rgba: Uint8ClampedArray, target: Uint8Array): void {
  for (let n = 0, at = 0; at < rgba.length; n += 1, at += 4) {
    const [red, green, blue] = [rgba[at] as number, rgba[at + 1] as number, rgba[at + 2] as number];
    const luma = (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue) * ((rgba[at + 3] as number) / 255);
    target[n] = luma >= 127.5 ? 255 : 0;
  }
}
