/** Images of floating-point numbers, and masks of single bits. */

import { lengthOf, type Rect, type Size } from '../../../imaging/geometry';

/** Row after row, channels side by side. Values are 0 to 255 unless a function says otherwise. */
export interface Plane extends Size {
  channels: number;
  data: Float32Array;
}

/** 1 where set, 0 elsewhere. */
export interface BitMask extends Size {
  data: Uint8Array;
}

export function newPlane({ widthPx, heightPx }: Size, channels: number): Plane {
  return { widthPx, heightPx, channels, data: new Float32Array(widthPx * heightPx * channels) };
}

export function newBitMask({ widthPx, heightPx }: Size): BitMask {
  return { widthPx, heightPx, data: new Uint8Array(widthPx * heightPx) };
}

export function copyOf(plane: Plane): Plane {
  return { ...plane, data: plane.data.slice() };
}

export function inverted(mask: BitMask): BitMask {
  return { ...mask, data: mask.data.map((value) => 1 - value) };
}

export function countOf(mask: BitMask): number {
  let count = 0;
  for (let i = 0; i < mask.data.length; i += 1) count += mask.data[i] as number;
  return count;
}

export function cutBitMask(mask: BitMask, rect: Rect): BitMask {
  const part = newBitMask({ widthPx: lengthOf(rect.x), heightPx: lengthOf(rect.y) });
  for (let y = 0; y < part.heightPx; y += 1) {
    const from = (rect.y.start + y) * mask.widthPx;
    part.data.set(mask.data.subarray(from + rect.x.start, from + rect.x.stop), y * part.widthPx);
  }
  return part;
}

/** Takes `values` outside the mask and `inside` within it. */
export function merged(values: Plane, inside: Plane, mask: BitMask): Plane {
  const result = copyOf(values);
  const { channels } = values;
  for (let i = 0; i < mask.data.length; i += 1) {
    if (mask.data[i] === 0) continue;
    for (let k = i * channels; k < (i + 1) * channels; k += 1) result.data[k] = inside.data[k] as number;
  }
  return result;
}

/** How many set pixels are above and left of each corner of the grid: (height + 1) x (width + 1). */
export function summed(mask: BitMask): Int32Array {
  const { widthPx, heightPx, data } = mask;
  const stride = widthPx + 1;
  const sums = new Int32Array(stride * (heightPx + 1));
  for (let y = 0; y < heightPx; y += 1) {
    let along = 0;
    for (let x = 0; x < widthPx; x += 1) {
      along += data[y * widthPx + x] as number;
      sums[(y + 1) * stride + x + 1] = along + (sums[y * stride + x + 1] as number);
    }
  }
  return sums;
}

/** The number of set pixels in a part of a mask of `widthPx`, from its `summed`. `right` and `bottom` are exclusive. */
export function countIn(
  sums: Int32Array,
  widthPx: number,
  left: number,
  top: number,
  right: number,
  bottom: number,
): number {
  const stride = widthPx + 1;
  return (
    (sums[bottom * stride + right] as number) -
    (sums[top * stride + right] as number) -
    (sums[bottom * stride + left] as number) +
    (sums[top * stride + left] as number)
  );
}

/** A pixel is set if the square of `radiusPx` around it touches the mask. */
export function dilated(mask: BitMask, radiusPx: number): BitMask {
  const { widthPx, heightPx } = mask;
  const sums = summed(mask);
  const result = newBitMask(mask);
  for (let y = 0; y < heightPx; y += 1) {
    const top = Math.max(0, y - radiusPx);
    const bottom = Math.min(heightPx, y + radiusPx + 1);
    for (let x = 0; x < widthPx; x += 1) {
      const left = Math.max(0, x - radiusPx);
      const right = Math.min(widthPx, x + radiusPx + 1);
      result.data[y * widthPx + x] = countIn(sums, widthPx, left, top, right, bottom) > 0 ? 1 : 0;
    }
  }
  return result;
}
