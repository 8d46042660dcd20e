import { viewOf } from '../bytes';
import type { ImageHeader } from './imageHeader';

const TRAILER = 0x3b;
const EXTENSION = 0x21;
const FRAME = 0x2c;

export function readGifHeader(bytes: Uint8Array): ImageHeader {
  const view = viewOf(bytes);
  const widthPx = view.getUint16(6, true);
  const heightPx = view.getUint16(8, true);
  const { frames, hasTrailer } = scanBlocks(view);
  const isAnimated = frames > 1;
  return { format: 'gif', widthPx, heightPx, isAnimated, isComplete: hasTrailer || isAnimated };
}

/** Reads no further than the second frame. */
function scanBlocks(view: DataView): { frames: number; hasTrailer: boolean } {
  let frames = 0;
  let at = 13 + paletteBytes(view.getUint8(10));
  try {
    while (frames < 2) {
      const kind = view.getUint8(at);
      if (kind === TRAILER) return { frames, hasTrailer: true };
      if (kind === EXTENSION) at = endOfBlocks(view, at + 2);
      else if (kind === FRAME) {
        at = endOfBlocks(view, at + 11 + paletteBytes(view.getUint8(at + 9)));
        frames += 1;
      } else break;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return { frames, hasTrailer: false };
}

function endOfBlocks(view: DataView, start: number): number {
  let at = start;
  while (view.getUint8(at) !== 0) at += 1 + view.getUint8(at);
  return at + 1;
}

function paletteBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}
