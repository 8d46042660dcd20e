/**
 * Reads a PNG exactly. A canvas would multiply colour with alpha, which changes pixels that are nearly transparent,
 * and it does not say whether an image is grey. Interlaced files are left to the canvas.
 */

import { ProcessError } from '../../lib/errors';
import { pngChunks, pngInfo, type PngInfo } from '../headers/png';
import { newPixels, type Channels, type Pixels } from '../pixels';

/** How many samples a pixel has, by colour type. */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** 8 bits a channel; 16 are rounded. Raises ProcessError `undecodable` if the file is damaged or cut off. */
export async function readPng(bytes: Uint8Array<ArrayBuffer>): Promise<Pixels> {
  const header = pngInfo(bytes);
  const samples = header === null ? undefined : SAMPLES[header.colourType];
  if (header === null || samples === undefined) throw damaged('its header');
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let palette: Uint8Array | null = null;
  let transparency: Uint8Array | null = null;
  for (const { kind, body, isWhole } of pngChunks(bytes)) {
    if (!isWhole) break;
    if (kind === 'IDAT') parts.push(body as Uint8Array<ArrayBuffer>);
    if (kind === 'PLTE') palette = body;
    if (kind === 'tRNS') transparency = body;
  }
  const unpack = unpacker(header, palette, transparency);
  const pixels = newPixels(header, unpack.channels);
  const rowBytes = Math.ceil((header.widthPx * samples * header.bits) / 8);
  const stride = Math.max(1, (samples * header.bits) >> 3);
  let row = new Uint8Array(rowBytes + 1);
  let above = new Uint8Array(rowBytes + 1);
  let filled = 0;
  let y = 0;
  try {
    const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream('deflate'));
    const reader = stream.getReader();
    for (let step = await reader.read(); !step.done && y < header.heightPx; step = await reader.read()) {
      const { value } = step;
      for (let from = 0; from < value.length && y < header.heightPx;) {
        const taken = Math.min(value.length - from, row.length - filled);
        row.set(value.subarray(from, from + taken), filled);
        from += taken;
        filled += taken;
        if (filled < row.length) continue;
        unfilter(row, above, stride);
        unpack.put(row, pixels, y);
        [row, above] = [above, row];
        filled = 0;
        y += 1;
      }
    }
    if (y === header.heightPx) await reader.cancel().catch(() => undefined);
  } catch (error) {
    if (error instanceof ProcessError) throw error;
    throw damaged(`row ${y}`);
  }
  if (y < header.heightPx) throw damaged(`row ${y}`);
  return pixels;
}

/** In place; the first byte of each row is its filter. */
function unfilter(row: Uint8Array, above: Uint8Array, stride: number): void {
  const kind = row[0] as number;
  if (kind > 4) throw damaged(`a filter of kind ${kind}`);
  const first = 1 + stride;
  for (let i = 1; i < row.length; i += 1) {
    const left = i < first ? 0 : (row[i - stride] as number);
    const up = above[i] as number;
    let guess = 0;
    if (kind === 1) guess = left;
    else if (kind === 2) guess = up;
    else if (kind === 3) guess = (left + up) >> 1;
    else if (kind === 4) guess = paeth(left, up, i < first ? 0 : (above[i - stride] as number));
    row[i] = (row[i] as number) + guess;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

interface Unpacker {
  channels: Channels;
  /** `row` begins with its filter byte. */
  put: (row: Uint8Array, target: Pixels, y: number) => void;
}

function unpacker(header: PngInfo, palette: Uint8Array | null, transparency: Uint8Array | null): Unpacker {
  const { bits, colourType, widthPx } = header;
  if (colourType === 3) return paletteUnpacker(header, palette, transparency);
  const samples = SAMPLES[colourType] as number;
  const top = 2 ** bits - 1;
  const keyed = transparency !== null && (colourType === 0 || colourType === 2);
  const key = keyed ? Array.from({ length: samples }, (_, k) => word(transparency, 2 * k)) : null;
  const channels = (samples + (keyed ? 1 : 0)) as Channels;
  const put = (row: Uint8Array, target: Pixels, y: number) => {
    let to = y * widthPx * channels;
    for (let x = 0; x < widthPx; x += 1) {
      let matches = keyed;
      for (let k = 0; k < samples; k += 1) {
        const value = sampleAt(row, x * samples + k, bits);
        if (key !== null && key[k] !== value) matches = false;
        target.data[to + k] = bits === 8 ? value : (255 * value) / top;
      }
      if (keyed) target.data[to + samples] = matches ? 0 : 255;
      to += channels;
    }
  };
  return { channels, put };
}

function paletteUnpacker(
  header: PngInfo,
  palette: Uint8Array | null,
  transparency: Uint8Array | null,
): Unpacker {
  if (palette === null) throw damaged('its palette');
  const { bits, widthPx } = header;
  const channels = transparency === null ? 3 : 4;
  const put = (row: Uint8Array, target: Pixels, y: number) => {
    let to = y * widthPx * channels;
    for (let x = 0; x < widthPx; x += 1, to += channels) {
      const index = sampleAt(row, x, bits);
      for (let k = 0; k < 3; k += 1) target.data[to + k] = palette[3 * index + k] ?? 0;
      if (transparency !== null) target.data[to + 3] = transparency[index] ?? 255;
    }
  };
  return { channels, put };
}

function sampleAt(row: Uint8Array, index: number, bits: number): number {
  if (bits === 8) return row[1 + index] as number;
  if (bits === 16) return word(row, 1 + 2 * index);
  const perByte = 8 / bits;
  const byte = row[1 + Math.floor(index / perByte)] as number;
  return (byte >> (8 - bits * ((index % perByte) + 1))) & (2 ** bits - 1);
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function damaged(where: string): ProcessError {
  return new ProcessError('undecodable', `the png is damaged, or cut off, at ${where}`);
}
