import { ascii, viewOf } from '../bytes';
import type { ImageHeader } from './imageHeader';

const ANIMATION_FLAG = 0x02;
const EXIF_FLAG = 0x08;
const ICC_FLAG = 0x20;

export function isWebp(bytes: Uint8Array): boolean {
  return ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 4) === 'WEBP';
}

export function readWebpHeader(bytes: Uint8Array): ImageHeader {
  const view = viewOf(bytes);
  const isComplete = view.byteLength >= view.getUint32(4, true) + 8;
  return { format: 'webp', ...readSize(view, ascii(bytes, 12, 4)), isComplete };
}

type SizeFields = Pick<ImageHeader, 'widthPx' | 'heightPx' | 'isAnimated'>;

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

/** Which metadata the file announces. Only the extended format can have any. */
export function webpMetadata(bytes: Uint8Array): { icc: boolean; exif: boolean } {
  const flags = ascii(bytes, 12, 4) === 'VP8X' ? (bytes[20] ?? 0) : 0;
  return { icc: (flags & ICC_FLAG) !== 0, exif: (flags & EXIF_FLAG) !== 0 };
}
