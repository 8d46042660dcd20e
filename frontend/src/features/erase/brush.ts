/** The size of the brush, and its slider: by ratio, so that one step is as much of a small one as of a large one. */

export const LEAST_BRUSH_PX = 1;
export const MOST_BRUSH_PX = 1000;

export function toShare(px: number): number {
  return Math.log(px / LEAST_BRUSH_PX) / Math.log(MOST_BRUSH_PX / LEAST_BRUSH_PX);
}

export function fromShare(share: number): number {
  return Math.round(LEAST_BRUSH_PX * (MOST_BRUSH_PX / LEAST_BRUSH_PX) ** share);
}
