/** What lies under a mask, removed, and blended in: engine/erasing.py. */

import { ProcessError } from '../../processor';
import { fill } from '../fill/fill';
import { planHoles } from '../fill/holes';
import { countOf, cutMask, newMask, type Mask } from '../fill/planes';
import { bleedColour } from '../image/alpha';
import { relativeTo, widenedRect } from '../image/geometry';
import { hasAlpha, pickChannels, putChannels, uniformValue, type Pixels } from '../image/pixels';
import { feather, grow, holeFromMask } from './mask';

export interface Erased {
  /** A new picture, unless nothing was removed. */
  pixels: Pixels;
  /** How many pixels were filled. */
  areaPx: number;
}

/** In pixels of the image, 0 or more; the feather is the outermost part of the growth. */
export interface Margins {
  maskGrowPx: number;
  maskFeatherPx: number;
}

/** Pixels farther than `maskGrowPx` from the mask stay as they are. Raises ProcessError for masks of no use. */
export function erase(
  image: Pixels,
  mask: Pixels,
  margins: Margins,
  onProgress: (done: number, total: number) => void,
): Erased {
  const hole = holeFromMask(mask, image);
  if (countOf(hole) === 0) return { pixels: image, areaPx: 0 };
  const featherPx = Math.min(margins.maskFeatherPx, margins.maskGrowPx);
  const core = grow(hole, margins.maskGrowPx - featherPx);
  const area = grow(core, featherPx);
  const areaPx = countOf(area);
  if (areaPx === area.data.length) {
    const detail = 'the mask covers the whole image; something has to be left to go by';
    throw new ProcessError('refused', detail, {
      problem: { type: 'invalid-parameter', title: 'Invalid parameter', detail, requestId: null },
    });
  }
  const filled = filledPicture(image, area, onProgress);
  return { pixels: blended(image, filled, core, featherPx), areaPx };
}

/** Colour, and transparency as a picture of its own where there is any. */
function filledPicture(image: Pixels, area: Mask, onProgress: (done: number, total: number) => void): Pixels {
  const { channels } = image;
  if (!hasAlpha(channels)) return fill(image, area, onProgress);
  const colours = channels === 4 ? [0, 1, 2] : [0];
  const place = channels - 1;
  const result = { ...image, data: image.data.slice() };
  // What is stored where nothing is seen must not be taken for a pattern.
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

/** `filled` faded into `source` around `core`; outside of it `source` comes back value for value. */
function blended(source: Pixels, filled: Pixels, core: Mask, featherPx: number): Pixels {
  const result = { ...source, data: source.data.slice() };
  const changed = newMask(source);
  const { channels, widthPx } = source;
  for (const { crops } of planHoles(core)) {
    for (const crop of crops) {
      const own = widenedRect(crop.own, featherPx, source);
      // Wide enough for every core that a pixel of `own` may be near to, that of another crop as well.
      const seen = widenedRect(own, featherPx, source);
      const inner = relativeTo(own, seen);
      const weights = feather(cutMask(core, seen), featherPx);
      const seenWidth = seen.x.stop - seen.x.start;
      for (let y = own.y.start; y < own.y.stop; y += 1) {
        const row = (y - own.y.start + inner.y.start) * seenWidth + inner.x.start;
        for (let x = own.x.start; x < own.x.stop; x += 1) {
          const weight = weights[row + x - own.x.start] as number;
          const at = y * widthPx + x;
          // Where the margins of two crops overlap, a pixel is mixed once.
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
