/** The size of a result, refused as imaging/target.py refuses it. */

import { DEFAULT_LIMITS, SCALE } from '../../../api/constants';
import { areaOf, type Size } from '../../../imaging/geometry';
import { invalidParameter, ProcessError } from '../../../lib/errors';
import type { TargetSize } from '../../options';
import { targetSize } from '../../targetSize';

/** Raises ProcessError: `refused` for factors outside 1 to 8, `too-large`. */
export function sizeFor(source: Size, target: TargetSize): Size {
  const size = targetSize(source, target);
  const asked =
    target.kind === 'scale'
      ? [target.factor]
      : [
          ...(target.widthPx === null ? [] : [target.widthPx / source.widthPx]),
          ...(target.heightPx === null ? [] : [target.heightPx / source.heightPx]),
        ];
  for (const factor of asked) {
    if (!(factor >= SCALE.min && factor <= SCALE.max)) {
      throw invalidParameter(`a factor of ${factor.toPrecision(3)} is outside ${SCALE.min} to ${SCALE.max}`);
    }
  }
  if (areaOf(size) > DEFAULT_LIMITS.max_output_pixels) {
    const megapixels = DEFAULT_LIMITS.max_output_pixels / 1e6;
    throw new ProcessError(
      'too-large',
      `${size.widthPx}x${size.heightPx} px is more than ${megapixels} megapixels`,
      { values: { megapixels } },
    );
  }
  return size;
}
