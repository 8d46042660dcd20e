/** A square of an image, to try things on. */

import type { Extent, Point } from '../viewer/view';

export interface Crop {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The crop around a point, moved inside the image; smaller than `sidePx` only where the image is. */
export function cropAround(centre: Point, sidePx: number, image: Extent): Crop {
  const width = Math.min(sidePx, image.width);
  const height = Math.min(sidePx, image.height);
  return {
    x: Math.round(Math.min(Math.max(centre.x - width / 2, 0), image.width - width)),
    y: Math.round(Math.min(Math.max(centre.y - height / 2, 0), image.height - height)),
    width,
    height,
  };
}

/** The crop as a PNG of its own. */
export async function cutOut(file: Blob, crop: Crop): Promise<Blob> {
  const bitmap = await createImageBitmap(file, crop.x, crop.y, crop.width, crop.height);
  try {
    const canvas = new OffscreenCanvas(crop.width, crop.height);
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    return await canvas.convertToBlob({ type: 'image/png' });
  } finally {
    bitmap.close();
  }
}
