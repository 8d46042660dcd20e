/** Exif blocks: TIFF structures that begin with `II` or `MM`. In a damaged one nothing is found. */

import { ascii, viewOf } from '../bytes';
import type { Size } from '../geometry';

type Bytes = Uint8Array<ArrayBuffer>;

const ORIENTATION = 0x0112;
const DETAILS = 0x8769;
const PIXELS_X = 0xa002;
const PIXELS_Y = 0xa003;
const SHORT = 3;
const HEADER_BYTES = 8;
const ENTRY_BYTES = 12;

interface Entry {
  tag: number;
  /** Where its value is, or the place of its value. */
  valueAt: number;
  isShort: boolean;
}

interface Directory {
  entries: Entry[];
  /** Where the place of the next directory is; null if the block is cut off before it. */
  nextAt: number | null;
}

/** 1 (upright) to 8; 1 if the block does not say. */
export function orientationOf(block: Uint8Array): number {
  const view = viewOf(block);
  const isLittle = isLittleEndian(block);
  const entry = firstDirectory(view, isLittle).entries.find(({ tag }) => tag === ORIENTATION);
  const value = entry === undefined ? 1 : view.getUint16(entry.valueAt, isLittle);
  return value >= 1 && value <= 8 ? value : 1;
}

/**
 * A copy for the upright picture of `size`: it says so, and has no further directory, which would be the thumbnail of the
 * old picture. All other bytes stay where they are, since makers' notes hold places.
 */
export function uprightExif(block: Uint8Array, { widthPx, heightPx }: Size): Bytes {
  const copy = block.slice();
  const view = viewOf(copy);
  const isLittle = isLittleEndian(copy);
  const set = ({ valueAt, isShort }: Entry, value: number) => {
    if (isShort) view.setUint16(valueAt, Math.min(value, 0xffff), isLittle);
    else view.setUint32(valueAt, value, isLittle);
  };
  const first = firstDirectory(view, isLittle);
  for (const entry of first.entries) {
    if (entry.tag === ORIENTATION) set(entry, 1);
    if (entry.tag !== DETAILS) continue;
    for (const detail of directoryAt(view, view.getUint32(entry.valueAt, isLittle), isLittle).entries) {
      if (detail.tag === PIXELS_X) set(detail, widthPx);
      if (detail.tag === PIXELS_Y) set(detail, heightPx);
    }
  }
  if (first.nextAt !== null) view.setUint32(first.nextAt, 0, isLittle);
  return copy;
}

function isLittleEndian(block: Uint8Array): boolean {
  return ascii(block, 0, 2) === 'II';
}

function firstDirectory(view: DataView, isLittle: boolean): Directory {
  if (view.byteLength < HEADER_BYTES) return { entries: [], nextAt: null };
  return directoryAt(view, view.getUint32(4, isLittle), isLittle);
}

function directoryAt(view: DataView, at: number, isLittle: boolean): Directory {
  if (at < HEADER_BYTES || at + 2 > view.byteLength) return { entries: [], nextAt: null };
  const count = view.getUint16(at, isLittle);
  const entries: Entry[] = [];
  for (let n = 0; n < count; n += 1) {
    const entry = at + 2 + ENTRY_BYTES * n;
    if (entry + ENTRY_BYTES > view.byteLength) return { entries, nextAt: null };
    const isShort = view.getUint16(entry + 2, isLittle) === SHORT;
    entries.push({ tag: view.getUint16(entry, isLittle), valueAt: entry + 8, isShort });
  }
  const nextAt = at + 2 + ENTRY_BYTES * count;
  return { entries, nextAt: nextAt + 4 <= view.byteLength ? nextAt : null };
}
