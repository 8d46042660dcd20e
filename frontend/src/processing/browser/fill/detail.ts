/** Measures fine detail, and adds to a smooth filling what it lacks (imaging/inpainting/detail.py). */

import { LUMA } from '../../../imaging/pixels';
import { copyOf, merged, newPlane, type BitMask, type Plane } from './planes';
import { blurred, doubled, levelsOf } from './pyramid';

/** Standard deviations of the blur that separates detail, and of the area in which its strength is measured. */
const DETAIL_PX = 1.5;
const AROUND_PX = 3;
const SHARE = 1.27;
/** The power of detail, of 255^2, at which wrong detail is most visible. There, half of the share is added. */
const MOST_VISIBLE_POWER = 60;
/** Detail that is amplified more no longer looks like the texture it was. */
const MAX_GAIN = 2;
const TRANSFER_PX = 2;

/**
 * The root mean square of the detail, measured in known pixels and spread smoothly over the hole. The logarithm is
 * spread, so that a hole in the sky beside a tower is expected to be sky.
 */
export function expectedStrength(pixels: Plane, hole: BitMask): Float32Array {
  const known = Float32Array.from(hole.data, (value) => 1 - value);
  const luma = brightness(pixels);
  for (let i = 0; i < luma.length; i += 1) luma[i] = (luma[i] as number) * (known[i] as number);
  const mean = blurred(luma, pixels, DETAIL_PX);
  const knownNear = blurred(known, pixels, DETAIL_PX);
  const squares = luma.map((value, i) => {
    const detail = value - (mean[i] as number) / Math.max(knownNear[i] as number, 1e-6);
    return detail ** 2 * (known[i] as number);
  });
  const power = blurred(squares, pixels, AROUND_PX);
  const weight = blurred(known, pixels, AROUND_PX);
  const logarithm = newPlane(pixels, 1);
  for (let i = 0; i < power.length; i += 1) {
    const own = (power[i] as number) / Math.max(weight[i] as number, 1e-6);
    logarithm.data[i] = Math.log1p(Math.sqrt(Math.max(own, 0)));
  }
  return spread(logarithm, hole).data.map(Math.expm1);
}

/** Adds as much of the fine brightness of `detailed` to `smooth` as brings it to the expected strength. */
export function addGrain(smooth: Plane, detailed: Plane, expected: Float32Array): Plane {
  const luma = brightness(detailed);
  const mean = blurred(luma, detailed, TRANSFER_PX);
  const detail = luma.map((value, i) => value - (mean[i] as number));
  const has = strength(brightness(smooth), smooth);
  const gives = strength(detail, smooth);
  const result = copyOf(smooth);
  const { channels } = smooth;
  for (let i = 0; i < detail.length; i += 1) {
    const power = (expected[i] as number) ** 2;
    const share = SHARE / (1 + (4 * MOST_VISIBLE_POWER * power) / (power + MOST_VISIBLE_POWER) ** 2);
    const missing = Math.sqrt(Math.max(share ** 2 * power - (has[i] as number) ** 2, 0));
    const gain = Math.min(missing / ((gives[i] as number) + 0.3), MAX_GAIN);
    const added = gain * (detail[i] as number);
    for (let k = i * channels; k < (i + 1) * channels; k += 1)
      result.data[k] = (result.data[k] as number) + added;
  }
  return result;
}

/** The same as `expectedStrength`, for a brightness without holes. */
function strength(luma: Float32Array, size: Plane): Float32Array {
  const mean = blurred(luma, size, DETAIL_PX);
  const squares = luma.map((value, i) => (value - (mean[i] as number)) ** 2);
  return blurred(squares, size, AROUND_PX).map((power) => Math.sqrt(Math.max(power, 0)));
}

function brightness({ data, channels }: Plane): Float32Array {
  if (channels === 1) return data.slice();
  const [red, green, blue] = LUMA;
  const luma = new Float32Array(data.length / 3);
  for (let i = 0; i < luma.length; i += 1) {
    luma[i] =
      red * (data[3 * i] as number) +
      green * (data[3 * i + 1] as number) +
      blue * (data[3 * i + 2] as number);
  }
  return luma;
}

/** Continues known values into the hole, from coarse to fine. */
function spread(plane: Plane, hole: BitMask): Plane {
  const [coarsest, ...finer] = levelsOf(plane, hole).reverse();
  return finer.reduce(
    (filled, level) => merged(level.pixels, doubled(filled, level.hole), level.hole),
    coarsest?.pixels ?? plane,
  );
}
