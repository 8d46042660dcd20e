/** Puts metadata into a file that a browser, or our writer, made without them. */

import { ascii, viewOf } from '../bytes';
import { EXIF_MARKER, jpegSegments } from '../headers/jpeg';
import { webpChunks, webpFlags, webpSize } from '../headers/webp';
import { pngChunk } from '../png/chunk';
import { EXIF_NAME } from './exif';
import { PROFILE_MARKER, PROFILE_NAME } from './profile';

type Bytes = Uint8Array<ArrayBuffer>;

const PNG_NAME = 'ICC profile';
/** The signature and the chunk IHDR. */
const PNG_HEAD_BYTES = 33;
const JFIF_MARKER = 0xe0;
const MAX_SEGMENT_BYTES = 0xffff - 2;
/** How much of a profile a segment holds behind its name, its number and how many there are. */
const PROFILE_PART_BYTES = MAX_SEGMENT_BYTES - PROFILE_NAME.length - 2;
const ICC_FLAG = 0x20;
const EXIF_FLAG = 0x08;
/** An encoder's own profile and what comes before it are within these. */
const HEAD_BYTES = 1 << 18;

export interface Metadata {
  /** It is for pixels of the kind that the file has. */
  profile: Bytes | null;
  exif: Bytes | null;
}

/** Whether a file of the type holds the block: a segment of a JPEG has an end. */
export function holdsExif(type: string, exif: Uint8Array): boolean {
  return type !== 'image/jpeg' || EXIF_NAME.length + exif.length <= MAX_SEGMENT_BYTES;
}

/**
 * file: a PNG, JPEG or WebP. Only its beginning is read.
 *
 * A profile that is there goes: Chromium writes that of sRGB into its JPEGs.
 */
export async function withMetadata(file: Blob, metadata: Metadata): Promise<Blob> {
  if (metadata.profile === null && metadata.exif === null) return file;
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const parts = PARTS[file.type];
  if (parts === undefined) throw new RangeError(`${file.type} takes no metadata here`);
  return new Blob(await parts(metadata, head, file), { type: file.type });
}

type Parts = (metadata: Metadata, head: Bytes, file: Blob) => BlobPart[] | Promise<BlobPart[]>;
const PARTS: Record<string, Parts> = {
  'image/png': pngWith,
  'image/jpeg': jpegWith,
  'image/webp': webpWith,
};

async function pngWith({ profile, exif }: Metadata, _: Bytes, file: Blob): Promise<BlobPart[]> {
  const chunks: Bytes[] = [];
  if (profile !== null) {
    chunks.push(...pngChunk('iCCP', [text(`${PNG_NAME}\0\0`), await deflated(profile)]));
  }
  if (exif !== null) chunks.push(...pngChunk('eXIf', [exif]));
  return [file.slice(0, PNG_HEAD_BYTES), ...chunks, file.slice(PNG_HEAD_BYTES)];
}

/** JFIF asks for its segment to be the first. */
function jpegWith({ profile, exif }: Metadata, head: Bytes, file: Blob): BlobPart[] {
  const start = head[3] === JFIF_MARKER ? 4 + viewOf(head).getUint16(4) : 2;
  const parts: BlobPart[] = [file.slice(0, start)];
  if (exif !== null) parts.push(...jpegSegment(EXIF_MARKER, text(EXIF_NAME), exif));
  if (profile === null) return [...parts, file.slice(start)];
  parts.push(...profileSegments(profile));
  let from = start;
  for (const { marker, body } of jpegSegments(head)) {
    if (marker !== PROFILE_MARKER || ascii(body, 0, PROFILE_NAME.length) !== PROFILE_NAME) continue;
    parts.push(file.slice(from, body.byteOffset - 4));
    from = body.byteOffset + body.length;
  }
  return [...parts, file.slice(from)];
}

function profileSegments(profile: Bytes): Bytes[] {
  const count = Math.ceil(profile.length / PROFILE_PART_BYTES);
  return Array.from({ length: count }, (_, n) => {
    const part = profile.subarray(n * PROFILE_PART_BYTES, (n + 1) * PROFILE_PART_BYTES);
    return jpegSegment(PROFILE_MARKER, text(PROFILE_NAME), Uint8Array.of(n + 1, count), part);
  }).flat();
}

function jpegSegment(marker: number, ...body: Bytes[]): Bytes[] {
  const head = new Uint8Array(4);
  const length = body.reduce((sum, part) => sum + part.length, 2);
  viewOf(head).setUint32(0, 0xff000000 + (marker << 16) + length);
  return [head, ...body];
}

/** A profile is the first chunk behind VP8X, which only the extended format has, and Exif is behind the pixels. */
function webpWith({ profile, exif }: Metadata, head: Bytes, file: Blob): BlobPart[] {
  const old = webpChunks(head).slice(0, 2);
  const [first, second] = old.map(({ kind, body }) => ({ kind, bytes: 8 + body.length + (body.length % 2) }));
  let from = 12;
  if (first?.kind === 'VP8X') {
    from += first.bytes;
    if (second?.kind === 'ICCP' && profile !== null) from += second.bytes;
  }
  const extended = new Uint8Array(10);
  const { widthPx, heightPx } = webpSize(head);
  extended[0] = webpFlags(head) | (profile === null ? 0 : ICC_FLAG) | (exif === null ? 0 : EXIF_FLAG);
  const view = viewOf(extended);
  view.setUint16(4, (widthPx - 1) & 0xffff, true);
  view.setUint8(6, (widthPx - 1) >> 16);
  view.setUint16(7, (heightPx - 1) & 0xffff, true);
  view.setUint8(9, (heightPx - 1) >> 16);
  const before = [...webpChunk('VP8X', extended), ...(profile === null ? [] : webpChunk('ICCP', profile))];
  const behind = exif === null ? [] : webpChunk('EXIF', exif);
  const pixels = file.slice(from);
  const length = [...before, ...behind].reduce((sum, part) => sum + part.length, 4 + pixels.size);
  const riff = new Uint8Array(12);
  riff.set(text('RIFF....WEBP'));
  viewOf(riff).setUint32(4, length, true);
  return [riff, ...before, pixels, ...behind];
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
