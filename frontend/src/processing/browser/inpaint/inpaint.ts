/** Fills what lies under a mask and blends the filling in, as the service does it. */

import { invalidParameter } from '../../../lib/errors';
import { fill } from '../fill/fill';
import { planHoles } from '../fill/holes';
import { countOf, cutBitMask, newBitMask, type BitMask } from '../fill/planes';
import { bleedColour } from '../alpha';
import { relativeTo, widenedRect } from '../../../imaging/geometry';
import { hasAlpha, pickChannels, putChannels, uniformValue, type Pixels } from '../../../imaging/pixels';
import { feather, grow, holeFromMask } from './mask';

export interface Inpainted {
  /** A new image, unless the mask is empty. */
  pixels: Pixels;
  /** How many pixels were filled. */
  areaPx: number;
}

/** In pixels of the image, 0 or more. The feather is the outermost part of the growth. */
export interface Margins {
  maskGrowPx: number;
  maskFeatherPx: number;
}

/** Pixels farther than `maskGrowPx` from the mask stay as they are. Raises ProcessError if the mask is unusable. */
export function inpaint(
  image: Pixels,
  mask: Pixels,
  margins: Margins,
  onProgress: (done: number, total: number) => void,
): Inpainted {
  const hole = holeFromMask(mask, image);
  if (countOf(hole) === 0) return { pixels: image, areaPx: 0 };
  const featherPx = Math.min(margins.maskFeatherPx, margins.maskGrowPx);
  const core = grow(hole, margins.maskGrowPx - featherPx);
  const area = grow(core, featherPx);
  const areaPx = countOf(area);
  if (areaPx === area.data.length) {
    throw invalidParameter('the mask covers the whole image; something has to be left to go by');
  }
  const filled = filledImage(image, area, onProgress);
  return { pixels: blended(image, filled, core, featherPx), areaPx };
}

/** Fills colour, and also alpha, as an image of its own, unless it has one value throughout. */
function filledImage(
  image: Pixels,
  area: BitMask,
  onProgress: (done: number, total: number) => void,
): Pixels {
  const { channels } = image;
  if (!hasAlpha(channels)) return fill(image, area, onProgress);
  const colours = channels === 4 ? [0, 1, 2] : [0];
  const place = channels - 1;
  const result = { ...image, data: image.data.slice() };
  // The colour that is stored in transparent pixels must not be taken for a pattern.
  const colour = fill(pickChannels(bleedColour(image), colours), area, onProgress);
  putChannels(result, colour, colours);
  if (uniformValue(image, place) === null) {
    putChannels(
      result,
      fill(pickChannels(image, [place]), area, () => undefined),
      [place],
    );
  }
  return result;
}

/** Fades `filled` into `source` around `core`. All other values of `source` stay as they are. */
function blended(source: Pixels, filled: Pixels, core: BitMask, featherPx: number): Pixels {
  const result = { ...source, data: source.data.slice() };
  const changed = newBitMask(source);
  const { channels, widthPx } = source;
  for (const { crops } of planHoles(core)) {
    for (const crop of crops) {
      const own = widenedRect(crop.own, featherPx, source);
      // A pixel of `own` may also be near to the core of another crop.
      const seen = widenedRect(own, featherPx, source);
      const inner = relativeTo(own, seen);
      const weights = feather(cutBitMask(core, seen), featherPx);
      const seenWidth = seen.x.stop - seen.x.start;
      for (let y = own.y.start; y < own.y.stop; y += 1) {
        const row = (y - own.y.start + inner.y.start) * seenWidth + inner.x.start;
        for (let x = own.x.start; x < own.x.stop; x += 1) {
          const weight = weights[row + x - own.x.start] as number;
          const at = y * widthPx + x;
          // A pixel in the margins of two crops is mixed once.
          if (weight === 0 || changed.data[at] === 1) continue;
          changed.data[at] = 1;
          for (let k = at * channels; k < (at + 1) * channels; k += 1) {
            const before = source.data[k] as number;
            result.data[k] = before + weight * ((filled.data[k] as number) - before);
          }
        }
      }
    }
  }
  return result;
}
