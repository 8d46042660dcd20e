/** What a file holds that the result computed in the browser will lack, from the headers alone. */

import { ascii } from './bytes';
import { isJpeg, jpegSegments, type JpegSegment } from './headers/jpeg';
import { pngInfo, pngKindsBeforePixels } from './headers/png';
import { isWebp, webpHasExif } from './headers/webp';

/** The service's names for them. */
export type Loss = 'exif' | '16-bit';

/** Besides a colour profile. */
export function lossesOf(bytes: Uint8Array): Loss[] {
  const info = pngInfo(bytes);
  if (info !== null) return listed(pngKindsBeforePixels(bytes).has('eXIf'), info.bits === 16);
  if (isJpeg(bytes)) {
    const isExif = ({ marker, body }: JpegSegment) => marker === 0xe1 && ascii(body, 0, 5) === 'Exif\0';
    return listed([...jpegSegments(bytes)].some(isExif), false);
  }
  return listed(isWebp(bytes) && webpHasExif(bytes), false);
}

function listed(exif: boolean, is16Bit: boolean): Loss[] {
  const losses: Loss[] = [];
  if (exif) losses.push('exif');
  if (is16Bit) losses.push('16-bit');
  return losses;
}
