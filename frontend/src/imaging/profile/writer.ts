/** Puts an ICC profile into a file that a browser, or our writer, made without one. */

import { ascii, viewOf } from '../bytes';
import { jpegSegments } from '../headers/jpeg';
import { webpChunks, webpFlags, webpSize } from '../headers/webp';
import { pngChunk } from '../png/chunk';
import { JPEG_MARKER, JPEG_NAME } from './reader';

type Bytes = Uint8Array<ArrayBuffer>;

const PNG_NAME = 'ICC profile';
/** The signature and the chunk IHDR. */
const PNG_HEAD_BYTES = 33;
const JFIF_MARKER = 0xe0;
const JPEG_PART_BYTES = 0xffff - 2 - JPEG_NAME.length - 2;
const ICC_FLAG = 0x20;
/** An encoder's own profile and what comes before it are within these. */
const HEAD_BYTES = 1 << 18;

/**
 * file: a PNG, JPEG or WebP. Only its beginning is read. Its pixels have to be of the profile's kind.
 *
 * A profile that is there goes: Chromium writes that of sRGB into its JPEGs.
 */
export async function withProfile(file: Blob, profile: Bytes): Promise<Blob> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const parts = PARTS[file.type];
  if (parts === undefined) throw new RangeError(`${file.type} takes no profile here`);
  return new Blob(await parts(profile, head, file), { type: file.type });
}

const PARTS: Record<string, (profile: Bytes, head: Bytes, file: Blob) => BlobPart[] | Promise<BlobPart[]>> = {
  'image/png': async (profile, _, file) => {
    const chunk = pngChunk('iCCP', [text(`${PNG_NAME}\0\0`), await deflated(profile)]);
    return [file.slice(0, PNG_HEAD_BYTES), ...chunk, file.slice(PNG_HEAD_BYTES)];
  },
  'image/jpeg': jpegWith,
  'image/webp': webpWith,
};

/** JFIF asks for its segment to be the first. */
function jpegWith(profile: Bytes, head: Bytes, file: Blob): BlobPart[] {
  const start = head[3] === JFIF_MARKER ? 4 + viewOf(head).getUint16(4) : 2;
  const parts: BlobPart[] = [file.slice(0, start), ...jpegSegmentsOf(profile)];
  let from = start;
  for (const { marker, body } of jpegSegments(head)) {
    if (marker !== JPEG_MARKER || ascii(body, 0, JPEG_NAME.length) !== JPEG_NAME) continue;
    const at = body.byteOffset - 4;
    parts.push(file.slice(from, at));
    from = at + 4 + body.length;
  }
  return [...parts, file.slice(from)];
}

function jpegSegmentsOf(profile: Bytes): Bytes[] {
  const count = Math.ceil(profile.length / JPEG_PART_BYTES);
  return Array.from({ length: count }, (_, n) => {
    const part = profile.subarray(n * JPEG_PART_BYTES, (n + 1) * JPEG_PART_BYTES);
    const name = text(JPEG_NAME);
    const segment = new Uint8Array(4 + name.length + 2 + part.length);
    viewOf(segment).setUint32(0, 0xff000000 + (JPEG_MARKER << 16) + segment.length - 2);
    segment.set(name, 4);
    segment.set([n + 1, count], 4 + name.length);
    segment.set(part, 6 + name.length);
    return segment;
  });
}

/** The profile is the first chunk behind VP8X, which only the extended format has. */
function webpWith(profile: Bytes, head: Bytes, file: Blob): BlobPart[] {
  const old = webpChunks(head).slice(0, 2);
  const ahead = old.filter(({ kind }, n) => (n === 0 && kind === 'VP8X') || (n === 1 && kind === 'ICCP'));
  const rest = file.slice(ahead.reduce((at, { body }) => at + 8 + body.length + (body.length % 2), 12));
  const extended = new Uint8Array(10);
  const { widthPx, heightPx } = webpSize(head);
  extended[0] = webpFlags(head) | ICC_FLAG;
  const view = viewOf(extended);
  view.setUint16(4, (widthPx - 1) & 0xffff, true);
  view.setUint8(6, (widthPx - 1) >> 16);
  view.setUint16(7, (heightPx - 1) & 0xffff, true);
  view.setUint8(9, (heightPx - 1) >> 16);
  const parts = [...webpChunk('VP8X', extended), ...webpChunk('ICCP', profile)];
  const length = parts.reduce((sum, part) => sum + part.length, 4 + rest.size);
  const riff = new Uint8Array(12);
  riff.set(text('RIFF....WEBP'));
  viewOf(riff).setUint32(4, length, true);
  return [riff, ...parts, rest];
}

function webpChunk(kind: string, body: Bytes): Bytes[] {
  const head = new Uint8Array(8);
  head.set(text(kind));
  viewOf(head).setUint32(4, body.length, true);
  return [head, body, new Uint8Array(body.length % 2)];
}

async function deflated(bytes: Bytes): Promise<Bytes> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function text(letters: string): Bytes {
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
