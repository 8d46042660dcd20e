/**
 * The pixels of a canvas as they are.
 *
 * A browser that guards against fingerprinting lets a page read noise in their place, or another picture altogether, and
 * calls it success. Firefox 140 does so with `fingerprintingProtection` (the first) and `resistFingerprinting` (the second),
 * and leaves the frames of WebCodecs as they are. How others guard, a pattern shows.
 */

import { ProcessError } from '../lib/errors';

type Rgba = Uint8ClampedArray<ArrayBuffer>;

/** The first rows of a canvas, RGBA, straight alpha. What is drawn on the canvas may be gone afterwards. */
export type ReadRows = (canvas: OffscreenCanvas, rows: number) => Promise<Rgba>;

const PATTERN_SIDE_PX = 64;
/** Colour is kept multiplied with alpha, in 8 bits. */
const TRANSLUCENT_ERROR = 2;
const TRANSLUCENT = 128;

/** Raises ProcessError `pixels-hidden` if this browser does not hand them over. */
export async function openReadback(): Promise<ReadRows> {
  for (const read of [readCanvas, readFrame]) if (await isExact(read)) return read;
  throw new ProcessError('pixels-hidden', 'this browser changes the pixels that a page reads from a canvas');
}

/** Whether a canvas gives its pixels, and so the files that are made of it, as they are. */
export function isCanvasExact(): Promise<boolean> {
  return isExact(readCanvas);
}

function readCanvas(canvas: OffscreenCanvas, rows: number): Promise<Rgba> {
  return Promise.resolve(contextOf(canvas).getImageData(0, 0, canvas.width, rows).data);
}

async function readFrame(canvas: OffscreenCanvas, rows: number): Promise<Rgba> {
  const { width } = canvas;
  const bitmap = canvas.transferToImageBitmap();
  try {
    const frame = new VideoFrame(bitmap, { timestamp: 0 });
    try {
      const data = new Uint8ClampedArray(width * rows * 4);
      await frame.copyTo(data, { format: 'RGBA', rect: { x: 0, y: 0, width, height: rows } });
      return withStraightAlpha(data);
    } finally {
      frame.close();
    }
  } finally {
    bitmap.close();
  }
}

function withStraightAlpha(data: Rgba): Rgba {
  for (let at = 0; at < data.length; at += 4) {
    const alpha = data[at + 3] as number;
    if (alpha === 0 || alpha === 255) continue;
    for (let k = at; k < at + 3; k += 1) data[k] = ((data[k] as number) * 255) / alpha;
  }
  return data;
}

async function isExact(read: ReadRows): Promise<boolean> {
  const canvas = new OffscreenCanvas(PATTERN_SIDE_PX, PATTERN_SIDE_PX);
  const data = pattern();
  try {
    contextOf(canvas).putImageData(new ImageData(data, PATTERN_SIDE_PX), 0, 0);
    const seen = await read(canvas, PATTERN_SIDE_PX);
    return data.every((value, at) => {
      const most = data[at | 3] === 255 ? 0 : TRANSLUCENT_ERROR;
      return Math.abs((seen[at] as number) - value) <= most;
    });
  } catch {
    return false; // a browser without frames, or one that forbids to read
  }
}

/** Neighbours differ, so that protections that spare flat pictures show; the last row is translucent. */
function pattern(): Rgba {
  const data = new Uint8ClampedArray(PATTERN_SIDE_PX * PATTERN_SIDE_PX * 4);
  const opaqueEnd = data.length - PATTERN_SIDE_PX * 4;
  data.forEach((_, at) => {
    const isAlpha = at % 4 === 3;
    if (at >= opaqueEnd) data[at] = isAlpha ? TRANSLUCENT : 120;
    else data[at] = isAlpha ? 255 : (Math.imul(at + 1, 2654435761) >>> 13) & 255;
  });
  return data;
}

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new ProcessError('out-of-memory', 'no canvas to read from');
  return context;
}
