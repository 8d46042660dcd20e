/** A square of an image, to try models on. */

import { clamped, lengthOf, type Point, type Rect, type Size, type Span } from '../../imaging/geometry';
import { pngOf } from '../../imaging/png/ofCanvas';
import { decodeArea } from '../../ui/viewer/source';

/** The crop around a point, moved inside the image. It is smaller than `sidePx` only if the image is. */
export function cropAround(centre: Point, sidePx: number, image: Size): Rect {
  return {
    x: spanAround(centre.x, sidePx, image.widthPx),
    y: spanAround(centre.y, sidePx, image.heightPx),
  };
}

function spanAround(centre: number, sidePx: number, imagePx: number): Span {
  const length = Math.min(sidePx, imagePx);
  const start = Math.round(clamped(centre - length / 2, 0, imagePx - length));
  return { start, stop: start + length };
}

export function centreOf({ x, y }: Rect): Point {
  return { x: (x.start + x.stop) / 2, y: (y.start + y.stop) / 2 };
}

/** The crop as a PNG of its own. Raises ProcessError `pixels-hidden`. */
export async function cutOut(file: Blob, crop: Rect): Promise<Blob> {
  const bitmap = await decodeArea(file, crop);
  try {
    const canvas = new OffscreenCanvas(lengthOf(crop.x), lengthOf(crop.y));
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    return await pngOf(canvas);
  } finally {
    bitmap.close();
  }
}
