/** What a file holds that the result computed in the browser will lack, from the headers alone. */

import { ascii } from './bytes';
import { isJpeg, jpegSegments } from './headers/jpeg';
import { pngInfo, pngKindsBeforePixels } from './headers/png';
import { isWebp, webpMetadata } from './headers/webp';

/** The service's names for them. */
export type Loss = 'icc' | 'exif' | '16-bit';

/** Colours are kept as they are stored, so that a profile other than sRGB changes how they look. */
export function lossesOf(bytes: Uint8Array): Loss[] {
  const info = pngInfo(bytes);
  if (info !== null) {
    const kinds = pngKindsBeforePixels(bytes);
    return listed(kinds.has('iCCP'), kinds.has('eXIf'), info.bits === 16);
  }
  if (isJpeg(bytes)) {
    const segments = [...jpegSegments(bytes)];
    const has = (marker: number, name: string) =>
      segments.some((segment) => segment.marker === marker && ascii(segment.body, 0, name.length) === name);
    return listed(has(0xe2, 'ICC_PROFILE\0'), has(0xe1, 'Exif\0'), false);
  }
  if (isWebp(bytes)) {
    const { icc, exif } = webpMetadata(bytes);
    return listed(icc, exif, false);
  }
  return [];
}

function listed(icc: boolean, exif: boolean, is16Bit: boolean): Loss[] {
  const losses: Loss[] = [];
  if (icc) losses.push('icc');
  if (exif) losses.push('exif');
  if (is16Bit) losses.push('16-bit');
  return losses;
}
