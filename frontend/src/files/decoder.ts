/** What this browser can say about an image by decoding it. */

import type { Size } from '../imaging/geometry';
import { pngOf } from '../imaging/png/ofCanvas';
import { isCanvasExact } from '../imaging/readback';
import type { Decoder } from './check';

const THUMBNAIL_SIDE_PX = 160;

export const browserDecoder: Decoder = { thumbnail: makeThumbnail, measure };

/** The size with the orientation applied. Rejects if this browser cannot decode the image. */
export async function measure(blob: Blob): Promise<Size> {
  const url = URL.createObjectURL(blob);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return { widthPx: image.naturalWidth, heightPx: image.naturalHeight };
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function makeThumbnail(file: Blob): Promise<Blob | null> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { resizeHeight: THUMBNAIL_SIDE_PX, resizeQuality: 'medium' });
  } catch {
    return null;
  }
  try {
    const side = Math.min(bitmap.width, bitmap.height);
    const canvas = new OffscreenCanvas(THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX);
    const context = canvas.getContext('2d');
    const [x, y] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
    context?.drawImage(bitmap, x, y, side, side, 0, 0, THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX);
    // If all pixels are hidden, the image itself is shown in the thumbnail's place.
    if (!(await isCanvasExact())) return await pngOf(canvas).catch(() => file);
    return await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
  } finally {
    bitmap.close();
  }
}
