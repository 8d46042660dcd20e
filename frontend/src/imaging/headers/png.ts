import { ascii, viewOf } from '../bytes';
import { unknownSize, type ImageHeader } from './imageHeader';

export const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

const SRGB_PRIMARIES = 1;
/** Code points of ITU-T H.273: sRGB, and those of video, which differ from it in rounding and are shown as it. */
const SRGB_TRANSFERS = new Set([1, 6, 13, 14, 15]);
/** The exponent of files, which is 1 / 2.2. */
const SRGB_GAMMA = 0.45455;
/** White, red, green and blue: x and y of each (CIE 1931). */
const SRGB_POINTS = [0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06];
/** As the service has them. */
const GAMMA_TOLERANCE = 0.01;
const POINT_TOLERANCE = 0.003;

export interface PngInfo {
  widthPx: number;
  heightPx: number;
  /** Bits per sample: 1, 2, 4, 8 or 16. */
  bits: number;
  colourType: number;
  isInterlaced: boolean;
}

export interface PngChunk {
  kind: string;
  body: Uint8Array;
  /** Only the last chunk of a file that was cut off is not whole. */
  isWhole: boolean;
}

export function isPng(bytes: Uint8Array): boolean {
  return PNG_SIGNATURE.every((byte, at) => bytes[at] === byte);
}

/** null: the file is not a PNG, or its header is not whole. */
export function pngInfo(bytes: Uint8Array): PngInfo | null {
  if (bytes.length < 33 || !isPng(bytes)) return null;
  const view = viewOf(bytes);
  return {
    widthPx: view.getUint32(16),
    heightPx: view.getUint32(20),
    bits: view.getUint8(24),
    colourType: view.getUint8(25),
    isInterlaced: view.getUint8(28) !== 0,
  };
}

export function* pngChunks(bytes: Uint8Array): Generator<PngChunk> {
  const view = viewOf(bytes);
  for (let at = 8; at + 8 <= bytes.length;) {
    const length = view.getUint32(at);
    const body = bytes.subarray(at + 8, at + 8 + length);
    const next = at + 12 + length;
    yield { kind: ascii(bytes, at + 4, 4), body, isWhole: next <= bytes.length };
    at = next;
  }
}

/** The kinds of the chunks that come before the pixels. */
export function pngKindsBeforePixels(bytes: Uint8Array): Set<string> {
  const kinds = new Set<string>();
  for (const { kind } of pngChunks(bytes)) {
    if (kind === 'IDAT') break;
    kinds.add(kind);
  }
  return kinds;
}

/** Whether the file says, besides an ICC profile, that its colours are not sRGB. */
export function hasOtherColours(bytes: Uint8Array): boolean {
  const found = new Map<string, DataView>();
  for (const { kind, body } of pngChunks(bytes)) {
    if (kind === 'IDAT') break;
    found.set(kind, viewOf(body));
  }
  const points = found.get('cICP');
  if (points !== undefined && points.byteLength >= 2) {
    return points.getUint8(0) !== SRGB_PRIMARIES || !SRGB_TRANSFERS.has(points.getUint8(1));
  }
  if (found.has('iCCP') || found.has('sRGB')) return false;
  const differs = (kind: string, values: number[], tolerance: number) => {
    const told = found.get(kind);
    if (told === undefined || told.byteLength < 4 * values.length) return false;
    return values.some((value, n) => Math.abs(told.getUint32(4 * n) / 100_000 - value) >= tolerance);
  };
  return differs('gAMA', [SRGB_GAMMA], GAMMA_TOLERANCE) || differs('cHRM', SRGB_POINTS, POINT_TOLERANCE);
}

export function readPngHeader(bytes: Uint8Array): ImageHeader {
  const info = pngInfo(bytes);
  if (info === null) return unknownSize('png', false);
  let isAnimated = false;
  let isComplete = false;
  for (const { kind, body } of pngChunks(bytes)) {
    if (kind === 'acTL') isAnimated = viewOf(body).getUint32(0) > 1;
    if (kind === 'IEND') {
      isComplete = true;
      break;
    }
  }
  const { widthPx, heightPx } = info;
  return { format: 'png', widthPx, heightPx, isAnimated, isComplete };
}
