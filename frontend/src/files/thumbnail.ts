const SIDE_PX = 160;

/** A small picture of an image; null where this browser cannot decode it. */
export async function makeThumbnail(file: Blob): Promise<Blob | null> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { resizeHeight: SIDE_PX, resizeQuality: 'medium' });
  } catch {
    return null;
  }
  try {
    const side = Math.min(bitmap.width, bitmap.height);
    const canvas = new OffscreenCanvas(SIDE_PX, SIDE_PX);
    const context = canvas.getContext('2d');
    const [x, y] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
    context?.drawImage(bitmap, x, y, side, side, 0, 0, SIDE_PX, SIDE_PX);
    return await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
  } finally {
    bitmap.close();
  }
}
