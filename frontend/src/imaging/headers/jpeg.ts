import { ascii, viewOf } from '../bytes';
import { orientationOf } from './exif';
import { unknownSize, type ImageHeader } from './imageHeader';

export const EXIF_MARKER = 0xe1;
const SCAN_MARKER = 0xda;
/** These lie among the frame markers and mean something else: tables, an extension, arithmetic coding. */
const NO_FRAME_MARKERS = [0xc4, 0xc8, 0xcc];
/** The first orientation of those that exchange width and height. */
const FIRST_TURNED = 5;

export interface JpegSegment {
  marker: number;
  body: Uint8Array;
}

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8;
}

/** The segments before the first scan. The last one may be cut off. */
export function* jpegSegments(bytes: Uint8Array): Generator<JpegSegment> {
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === SCAN_MARKER) return;
    const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    yield { marker, body: bytes.subarray(at + 4, at + 2 + length) };
    at += 2 + length;
  }
}

/** How many components a pixel has: 1 is grey. null: the file is not a JPEG, or has no frame. */
export function jpegComponents(bytes: Uint8Array): number | null {
  if (!isJpeg(bytes)) return null;
  for (const segment of jpegSegments(bytes)) if (isFrame(segment)) return segment.body[5] ?? null;
  return null;
}

export function readJpegHeader(bytes: Uint8Array): ImageHeader {
  let orientation = 1;
  for (const segment of jpegSegments(bytes)) {
    const { marker, body } = segment;
    if (marker === EXIF_MARKER && ascii(body, 0, 4) === 'Exif') orientation = orientationOf(body.subarray(6));
    if (!isFrame(segment)) continue;
    const view = viewOf(body);
    const [height, width] = [view.getUint16(1), view.getUint16(3)];
    const [widthPx, heightPx] = orientation >= FIRST_TURNED ? [height, width] : [width, height];
    return { format: 'jpeg', widthPx, heightPx, isAnimated: false, isComplete: hasEndMarker(bytes) };
  }
  return unknownSize('jpeg', false);
}

function isFrame({ marker }: JpegSegment): boolean {
  return marker >= 0xc0 && marker <= 0xcf && !NO_FRAME_MARKERS.includes(marker);
}

/** Some cameras append bytes after the end marker, so it may lie before the end of the file. */
function hasEndMarker(bytes: Uint8Array): boolean {
  for (let at = bytes.length - 2; at >= 2; at -= 1) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return true;
  }
  return false;
}
