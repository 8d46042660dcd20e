/** Between an image's channels and what a network of three takes: backend/pixelmend/engine/planes.py. */

import type { Channels, Pixels } from '../image/pixels';
import { hasAlpha } from '../image/pixels';
import { settleAlpha } from '../image/alpha';

/** ITU-R BT.601, as the service takes it for grey. */
const LUMA = [0.299, 0.587, 0.114] as const;

/** Enlarges one picture: (3, height, width) in [0, 1] to (3, scale * height, scale * width). */
export type RunPlane = (plane: Float32Array<ArrayBuffer>) => Promise<Float32Array>;

/** A window of the image: which of its rows and columns, some of them twice where it is mirrored. */
export interface Window {
  columns: Int32Array;
  rows: Int32Array;
}

/** Colour (or grey) and alpha go through the network apart. */
export function planesPerTile(channels: Channels): number {
  return hasAlpha(channels) ? 2 : 1;
}

/** The window, enlarged, with the channels that the image has. */
export async function enlargedWindow(
  image: Pixels,
  window: Window,
  scale: number,
  run: RunPlane,
): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const { channels } = image;
  const result = new Uint8ClampedArray(window.columns.length * window.rows.length * scale ** 2 * channels);
  if (channels >= 3) {
    putColour(result, await run(read(image, window, [0, 1, 2])), channels);
  } else {
    putGrey(result, await run(read(image, window, [0, 0, 0])), channels, 0);
  }
  if (hasAlpha(channels)) {
    const place = channels - 1;
    const source = read(image, window, [place, place, place]);
    const alpha = new Uint8ClampedArray(result.length / channels);
    // The network may detach what it was given.
    const stored = Uint8Array.from(source.subarray(0, source.length / 3), (value) => Math.round(value * 255));
    putGrey(alpha, await run(source), 1, 0);
    settleAlpha(stored, window.columns.length, alpha, scale);
    for (let i = 0, to = place; i < alpha.length; i += 1, to += channels) result[to] = alpha[i] as number;
  }
  return result;
}

function read(image: Pixels, window: Window, places: readonly number[]): Float32Array<ArrayBuffer> {
  const { columns, rows } = window;
  const { data, channels, widthPx } = image;
  const area = columns.length * rows.length;
  const plane = new Float32Array(3 * area);
  places.forEach((place, channel) => {
    let to = channel * area;
    for (const y of rows) {
      const row = y * widthPx;
      for (const x of columns) {
        plane[to] = (data[(row + x) * channels + place] as number) / 255;
        to += 1;
      }
    }
  });
  return plane;
}

function putColour(result: Uint8ClampedArray, plane: Float32Array, channels: Channels): void {
  const area = plane.length / 3;
  for (let channel = 0; channel < 3; channel += 1) {
    for (let i = 0, from = channel * area, to = channel; i < area; i += 1, from += 1, to += channels) {
      result[to] = 255 * (plane[from] as number);
    }
  }
}

function putGrey(result: Uint8ClampedArray, plane: Float32Array, channels: Channels, place: number): void {
  const area = plane.length / 3;
  const [red, green, blue] = LUMA;
  for (let i = 0, to = place; i < area; i += 1, to += channels) {
    const luma =
      red * (plane[i] as number) +
      green * (plane[i + area] as number) +
      blue * (plane[i + 2 * area] as number);
    result[to] = 255 * luma;
  }
}
