import type { Mask } from '../../mask/mask';
import type { Extent, View } from '../viewer/view';

/** Red over the image, as a darkroom's masks; half seen through. */
const COLOUR = [226, 54, 70, 150] as const;

/** The seen part of a mask as pixels of the screen, one for each CSS px: as quick for a large image as for a small. */
export function overlayPixels(mask: Mask, view: View, box: Extent, target: Uint8ClampedArray): void {
  const { widthPx, heightPx, data } = mask;
  const columns = new Int32Array(box.width);
  for (let x = 0; x < box.width; x += 1) {
    const column = Math.floor((x + 0.5 - view.x) / view.scale);
    columns[x] = column >= 0 && column < widthPx ? column : -1;
  }
  const colour = new Uint32Array(new Uint8Array(COLOUR).buffer)[0] as number;
  const pixels = new Uint32Array(target.buffer, target.byteOffset, box.width * box.height);
  for (let y = 0; y < box.height; y += 1) {
    const row = Math.floor((y + 0.5 - view.y) / view.scale);
    const line = pixels.subarray(y * box.width, (y + 1) * box.width);
    if (row < 0 || row >= heightPx) {
      line.fill(0);
      continue;
    }
    const start = row * widthPx;
    for (let x = 0; x < box.width; x += 1) {
      const column = columns[x] as number;
      line[x] = column >= 0 && data[start + column] === 255 ? colour : 0;
    }
  }
}
