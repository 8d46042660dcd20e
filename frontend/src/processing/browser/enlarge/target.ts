/** How large the result shall be: imaging/target.py. */

import { targetSize } from '../../form';
import { ProcessError, type TargetSize } from '../../processor';
import type { Size } from '../image/geometry';

const MIN_FACTOR = 1;
const MAX_FACTOR = 8;
/** The service's default. */
export const MAX_OUTPUT_PIXELS = 256_000_000;

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
    if (!(factor >= MIN_FACTOR && factor <= MAX_FACTOR)) {
      const detail = `a factor of ${factor.toPrecision(3)} is outside ${MIN_FACTOR} to ${MAX_FACTOR}`;
      throw new ProcessError('refused', detail, {
        problem: { type: 'invalid-parameter', title: 'Invalid parameter', detail, requestId: null },
      });
    }
  }
  if (size.widthPx * size.heightPx > MAX_OUTPUT_PIXELS) {
    const megapixels = MAX_OUTPUT_PIXELS / 1e6;
    throw new ProcessError(
      'too-large',
      `${size.widthPx}x${size.heightPx} px is more than ${megapixels} megapixels`,
      { values: { megapixels } },
    );
  }
  return size;
}
