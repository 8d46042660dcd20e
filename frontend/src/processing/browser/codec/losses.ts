/** What a file has that the browser's result will not have; from its first bytes, nothing is decoded. */

import { pngChunks, pngHeader } from './pngReader';

/** The service's tokens. */
export type Loss = 'icc' | 'exif' | '16-bit';

/** Colours are kept as they are stored, so a profile other than sRGB is worth a word. */
export function lossesOf(bytes: Uint8Array): Loss[] {
  const header = pngHeader(bytes);
  if (header !== null) {
    const kinds = new Set<string>();
    for (const { kind } of pngChunks(bytes)) {
      if (kind === 'IDAT') break;
      kinds.add(kind);
    }
    return listed(kinds.has('iCCP'), kinds.has('eXIf'), header.bits === 16);
  }
  if (bytes[0] === 0xff && bytes[1] === 0xd8) {
    const segments = [...jpegSegments(bytes)];
    const has = (marker: number, name: string) =>
      segments.some((segment) => segment.marker === marker && startsWith(segment.body, name));
    return listed(has(0xe2, 'ICC_PROFILE\0'), has(0xe1, 'Exif\0'), false);
  }
  if (startsWith(bytes, 'RIFF') && startsWith(bytes.subarray(12), 'VP8X')) {
    const flags = bytes[20] ?? 0;
    return listed((flags & 0x20) !== 0, (flags & 0x08) !== 0, false);
  }
  return [];
}

/** Components of a JPEG: 1 is grey. null: no JPEG. */
export function jpegComponents(bytes: Uint8Array): number | null {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  for (const { marker, body } of jpegSegments(bytes)) {
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return body[5] ?? null;
  }
  return null;
}

function* jpegSegments(bytes: Uint8Array): Generator<{ marker: number; body: Uint8Array }> {
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    // From the start of the scan on there are no more segments of interest.
    if (marker === 0xda) return;
    const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    yield { marker, body: bytes.subarray(at + 4, at + 2 + length) };
    at += 2 + length;
  }
}

function listed(icc: boolean, exif: boolean, sixteenBit: boolean): Loss[] {
  const found: Loss[] = [];
  if (icc) found.push('icc');
  if (exif) found.push('exif');
  if (sixteenBit) found.push('16-bit');
  return found;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return [...text].every((letter, at) => bytes[at] === letter.charCodeAt(0));
}
