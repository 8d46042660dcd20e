/** What a file has beside its picture that a result made here lacks, by the service's names. */

import { ascii } from '../bytes';
import { EXIF_MARKER, isJpeg, jpegSegments, type JpegSegment } from '../headers/jpeg';
import { isPng, pngChunks } from '../headers/png';
import { isWebp, webpChunks } from '../headers/webp';
import { EXIF_NAME } from './exif';
import { PROFILE_MARKER, PROFILE_NAME } from './profile';

const COMMENT_MARKER = 0xfe;
const FIRST_APP_MARKER = 0xe0;
const LAST_APP_MARKER = 0xef;
const PHOTOSHOP_MARKER = 0xed;
const IPTC_BLOCK = '8BIM\x04\x04';
/** Segments by their marker and how they begin. Those without a name are kept, or say nothing of the picture. */
const SEGMENTS: readonly (readonly [marker: number, start: string, name: string | null])[] = [
  [0xe0, 'JFIF\0', null],
  [0xe0, 'JFXX\0', null],
  [EXIF_MARKER, EXIF_NAME, null],
  [EXIF_MARKER, 'http://ns.adobe.com/xap/1.0/\0', 'xmp'],
  [EXIF_MARKER, 'http://ns.adobe.com/xmp/extension/\0', 'extended-xmp'],
  [PROFILE_MARKER, PROFILE_NAME, null],
  [0xe2, 'MPF\0', 'further-images'],
  [0xe2, 'urn:iso:std:iso:ts:21496:-1\0', 'gain-map'],
  [0xeb, 'JP', 'c2pa'],
  [0xec, 'Ducky', null],
  [0xee, 'Adobe', null],
];
const PNG_XMP_KEYWORD = 'XML:com.adobe.xmp\0';
const PNG_TEXTS = ['tEXt', 'zTXt', 'iTXt'];
const WEBP_NAMES: Readonly<Record<string, string>> = { 'XMP ': 'xmp', C2PA: 'c2pa' };

/** In the order of the file, each once. */
export function extrasOf(bytes: Uint8Array): string[] {
  const names: (string | null)[] = [];
  if (isJpeg(bytes)) for (const segment of jpegSegments(bytes)) names.push(nameOfSegment(segment));
  if (isPng(bytes)) for (const { kind, body } of pngChunks(bytes)) names.push(nameOfPngChunk(kind, body));
  if (isWebp(bytes)) for (const { kind } of webpChunks(bytes)) names.push(WEBP_NAMES[kind] ?? null);
  return [...new Set(names.filter((name) => name !== null))];
}

/** Whether the file has the block of a profile, damaged or not. */
export function hasProfileBlock(bytes: Uint8Array): boolean {
  if (isPng(bytes)) return [...pngChunks(bytes)].some(({ kind }) => kind === 'iCCP');
  if (isWebp(bytes)) return webpChunks(bytes).some(({ kind }) => kind === 'ICCP');
  return (
    isJpeg(bytes) && [...jpegSegments(bytes)].some((segment) => begins(segment, PROFILE_MARKER, PROFILE_NAME))
  );
}

function nameOfSegment(segment: JpegSegment): string | null {
  const { marker, body } = segment;
  if (marker === COMMENT_MARKER) return 'comment';
  if (marker < FIRST_APP_MARKER || marker > LAST_APP_MARKER) return null;
  if (begins(segment, PHOTOSHOP_MARKER, 'Photoshop 3.0\0')) {
    return ascii(body, 0, body.length).includes(IPTC_BLOCK) ? 'iptc' : 'photoshop';
  }
  const known = SEGMENTS.find(([itsMarker, start]) => begins(segment, itsMarker, start));
  return known === undefined ? 'app-data' : known[2];
}

function begins({ marker, body }: JpegSegment, itsMarker: number, start: string): boolean {
  return marker === itsMarker && ascii(body, 0, start.length) === start;
}

function nameOfPngChunk(kind: string, body: Uint8Array): string | null {
  if (kind === 'caBX') return 'c2pa';
  if (!PNG_TEXTS.includes(kind)) return null;
  return ascii(body, 0, PNG_XMP_KEYWORD.length) === PNG_XMP_KEYWORD ? 'xmp' : 'text';
}
