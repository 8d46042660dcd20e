import type { Size } from '../imaging/geometry';
import type { TargetSize } from './options';

/** The size of a result. Sides are rounded as the service does it. */
export function targetSize(size: Size, target: TargetSize): Size {
  const { widthPx, heightPx } = size;
  if (target.kind === 'scale') {
    return { widthPx: rounded(widthPx * target.factor), heightPx: rounded(heightPx * target.factor) };
  }
  if (target.widthPx !== null && target.heightPx !== null) {
    return { widthPx: target.widthPx, heightPx: target.heightPx };
  }
  if (target.widthPx !== null) {
    return { widthPx: target.widthPx, heightPx: rounded((heightPx * target.widthPx) / widthPx) };
  }
  if (target.heightPx !== null) {
    return { widthPx: rounded((widthPx * target.heightPx) / heightPx), heightPx: target.heightPx };
  }
  return size;
}

/** Halves are rounded to the even side, as Python does it. */
function rounded(px: number): number {
  const floor = Math.floor(px);
  const isHalf = px - floor === 0.5;
  return Math.max(1, isHalf ? floor + (floor % 2) : Math.round(px));
}
