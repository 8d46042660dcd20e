import { PngWriter } from '../../../imaging/png/writer';
import type { Mask } from './mask';

const ROWS_AT_ONCE = 256;

/** The mask as an 8-bit greyscale PNG. A canvas would take four times the memory. */
export async function encodeMask(mask: Mask): Promise<Blob> {
  const writer = new PngWriter(mask, 1);
  const values = new Uint8ClampedArray(mask.data.buffer);
  const step = ROWS_AT_ONCE * mask.widthPx;
  for (let at = 0; at < values.length; at += step) await writer.write(values.subarray(at, at + step));
  return writer.finish();
}
