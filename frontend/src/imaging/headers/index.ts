/** What a file is, from its own bytes: its name and its declared type may be wrong. */

import type { InputFormat } from '../../api/constants';
import { ascii } from '../bytes';
import { readBmpHeader } from './bmp';
import { readGifHeader } from './gif';
import { unknownSize, type ImageHeader } from './imageHeader';
import { isJpeg, readJpegHeader } from './jpeg';
import { isPng, readPngHeader } from './png';
import { isWebp, readWebpHeader } from './webp';

export type { ImageHeader } from './imageHeader';

/** null: the file is not an image of a known format. `bytes` is the whole file. */
export function readHeader(bytes: Uint8Array): ImageHeader | null {
  try {
    if (isPng(bytes)) return readPngHeader(bytes);
    if (isJpeg(bytes)) return readJpegHeader(bytes);
    if (isWebp(bytes)) return readWebpHeader(bytes);
    if (['GIF87a', 'GIF89a'].includes(ascii(bytes, 0, 6))) return readGifHeader(bytes);
    if (ascii(bytes, 0, 2) === 'BM' && bytes.length >= 26) return readBmpHeader(bytes);
    if (['II*\0', 'MM\0*'].includes(ascii(bytes, 0, 4))) return unknownSize('tiff');
    if (ascii(bytes, 4, 4) === 'ftyp') return readHeifHeader(ascii(bytes, 8, 4));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return truncatedHeader(bytes);
  }
  return null;
}

const FIRST_BYTES: Record<number, InputFormat> = {
  0x89: 'png',
  0xff: 'jpeg',
  0x52: 'webp',
  0x47: 'gif',
  0x42: 'bmp',
};

/** The header ends in the middle, so only the format is known. */
function truncatedHeader(bytes: Uint8Array): ImageHeader | null {
  const format = FIRST_BYTES[bytes[0] ?? 0];
  return format ? unknownSize(format, false) : null;
}

const HEIC_BRANDS = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'];

function readHeifHeader(brand: string): ImageHeader | null {
  if (brand === 'avif') return unknownSize('avif');
  if (brand === 'avis') return { ...unknownSize('avif'), isAnimated: true };
  return HEIC_BRANDS.includes(brand) ? unknownSize('heic') : null;
}
