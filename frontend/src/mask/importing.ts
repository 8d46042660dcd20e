import { type Mask, type Rect, wholeOf } from './mask';

const ROWS_AT_ONCE = 512;

/** Replace a mask by an image, fitted to it: what is light, and not transparent, is set. Returns the image's size. */
export async function importMask(
  file: Blob,
  mask: Mask,
): Promise<{ width: number; height: number; act: (mask: Mask) => Rect }> {
  const { widthPx, heightPx } = mask;
  const whole = await createImageBitmap(file);
  const { width, height } = whole;
  const values = new Uint8Array(widthPx * heightPx);
  try {
    // In bands: four bytes for each pixel of a large image at once would be much.
    for (let top = 0; top < heightPx; top += ROWS_AT_ONCE) {
      const rows = Math.min(ROWS_AT_ONCE, heightPx - top);
      const context = new OffscreenCanvas(widthPx, rows).getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('there is no canvas');
      context.imageSmoothingEnabled = false;
      context.drawImage(whole, 0, -top, widthPx, heightPx);
      readBand(context.getImageData(0, 0, widthPx, rows).data, values.subarray(top * widthPx));
    }
  } finally {
    whole.close();
  }
  return {
    width,
    height,
    act: (target) => {
      target.data.set(values);
      return wholeOf(target);
    },
  };
}

/** From RGBA bytes: 255 where luma, over black, is at least half. */
export function readBand(rgba: Uint8ClampedArray, target: Uint8Array): void {
  for (let n = 0; n * 4 < rgba.length; n += 1) {
    const [red, green, blue, alpha] = rgba.subarray(n * 4, n * 4 + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const luma = (0.299 * red + 0.587 * green + 0.114 * blue) * (alpha / 255);
    target[n] = luma >= 127.5 ? 255 : 0;
  }
}
