import { ascii, viewOf } from '../bytes';
import type { ImageHeader } from './imageHeader';

const ANIMATION_FLAG = 0x02;
const ALPHA_FLAG = 0x10;

export function isWebp(bytes: Uint8Array): boolean {
  return ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 4) === 'WEBP';
}

export function readWebpHeader(bytes: Uint8Array): ImageHeader {
  const view = viewOf(bytes);
  const isComplete = view.byteLength >= view.getUint32(4, true) + 8;
  return { format: 'webp', ...readSize(view, ascii(bytes, 12, 4)), isComplete };
}

interface SizeFields {
  widthPx: number;
  heightPx: number;
  isAnimated: boolean;
}

/** head: the first 30 bytes of a file, or more. */
export function webpSize(head: Uint8Array): SizeFields {
  return readSize(viewOf(head), ascii(head, 12, 4));
}

function readSize(view: DataView, kind: string): SizeFields {
  if (kind === 'VP8X') {
    const isAnimated = (view.getUint8(20) & ANIMATION_FLAG) !== 0;
    return { widthPx: uint24(view, 24) + 1, heightPx: uint24(view, 27) + 1, isAnimated };
  }
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true);
    return { widthPx: (bits & 0x3fff) + 1, heightPx: ((bits >>> 14) & 0x3fff) + 1, isAnimated: false };
  }
  const [widthPx, heightPx] = [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  return { widthPx, heightPx, isAnimated: false };
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) + 65536 * view.getUint8(at + 2);
}

/** What the extended format would announce of the file, or announces. */
export function webpFlags(head: Uint8Array): number {
  const kind = ascii(head, 12, 4);
  if (kind === 'VP8X') return head[20] ?? 0;
  return kind === 'VP8L' && ((head[24] ?? 0) & 0x10) !== 0 ? ALPHA_FLAG : 0;
}

export interface WebpChunk {
  kind: string;
  body: Uint8Array;
}

/** The last one may be cut off. */
export function webpChunks(bytes: Uint8Array): WebpChunk[] {
  const view = viewOf(bytes);
  const chunks: WebpChunk[] = [];
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    chunks.push({ kind: ascii(bytes, at, 4), body: bytes.subarray(at + 8, at + 8 + length) });
    at += 8 + length + (length % 2);
  }
  return chunks;
}
