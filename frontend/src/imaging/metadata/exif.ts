/** The Exif block of a file: when and where a picture was taken, and with what. */

import { ascii } from '../bytes';
import { EXIF_MARKER, isJpeg, jpegSegments } from '../headers/jpeg';
import { isPng, pngChunks } from '../headers/png';
import { isWebp, webpChunks } from '../headers/webp';

export const EXIF_NAME = 'Exif\0\0';

/** null: the file has none that begins as one. */
export function exifOf(bytes: Uint8Array): Uint8Array | null {
  const found = blockOf(bytes);
  if (found === null) return null;
  // JPEG puts a name in front, and some writers of other formats do so too.
  const block = ascii(found, 0, EXIF_NAME.length) === EXIF_NAME ? found.subarray(EXIF_NAME.length) : found;
  return ['II*\0', 'MM\0*'].includes(ascii(block, 0, 4)) ? block : null;
}

function blockOf(bytes: Uint8Array): Uint8Array | null {
  if (isPng(bytes)) {
    for (const { kind, body, isWhole } of pngChunks(bytes)) if (kind === 'eXIf' && isWhole) return body;
  } else if (isJpeg(bytes)) {
    for (const { marker, body } of jpegSegments(bytes)) {
      if (marker === EXIF_MARKER && ascii(body, 0, EXIF_NAME.length) === EXIF_NAME) return body;
    }
  } else if (isWebp(bytes)) {
    return webpChunks(bytes).find(({ kind }) => kind === 'EXIF')?.body ?? null;
  }
  return null;
}
