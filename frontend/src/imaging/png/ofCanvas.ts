import { openReadback } from '../readback';
import { PngWriter } from './writer';

/** What is drawn on a canvas, as a PNG. Raises ProcessError `pixels-hidden`. */
export async function pngOf(canvas: OffscreenCanvas): Promise<Blob> {
  const { width, height } = canvas;
  const read = await openReadback();
  const writer = new PngWriter({ widthPx: width, heightPx: height }, 4);
  await writer.write(await read(canvas, height));
  return writer.finish();
}
