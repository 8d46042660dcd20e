import type { Size } from '../../imaging/geometry';
import type { View } from '../../ui/viewer/view';
import type { Mask } from './mask/mask';

/** RGBA: a translucent red. */
const COLOUR = [226, 54, 70, 150] as const;

/**
 * The visible part of a mask as pixels of the screen, one for each CSS px. The time does not depend on the size of the
 * image.
 */
export function overlayPixels(mask: Mask, view: View, box: Size, target: Uint8ClampedArray): void {
  const { widthPx, heightPx, data } = mask;
  const columns = new Int32Array(box.widthPx);
  for (let x = 0; x < box.widthPx; x += 1) {
    const column = Math.floor((x + 0.5 - view.x) / view.scale);
    columns[x] = column >= 0 && column < widthPx ? column : -1;
  }
  const colour = new Uint32Array(new Uint8Array(COLOUR).buffer)[0] as number;
  const pixels = new Uint32Array(target.buffer, target.byteOffset, box.widthPx * box.heightPx);
  for (let y = 0; y < box.heightPx; y += 1) {
    const row = Math.floor((y + 0.5 - view.y) / view.scale);
    const line = pixels.subarray(y * box.widthPx, (y + 1) * box.widthPx);
    if (row < 0 || row >= heightPx) {
      line.fill(0);
      continue;
    }
    const start = row * widthPx;
    for (let x = 0; x < box.widthPx; x += 1) {
      const column = columns[x] as number;
      line[x] = column >= 0 && data[start + column] === 255 ? colour : 0;
    }
  }
}
