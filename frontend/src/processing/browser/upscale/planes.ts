/** Between the channels of an image and the three of a network, as in backend/pixelmend/engine/backends/planes.py. */

import type { Channels, Pixels } from '../../../imaging/pixels';
import { hasAlpha, LUMA } from '../../../imaging/pixels';
import { snapAlpha } from '../alpha';

/** Upscales one plane: (3, height, width) in [0, 1] to (3, scale * height, scale * width). */
export type RunPlane = (plane: Float32Array<ArrayBuffer>) => Promise<Float32Array>;

/** The rows and columns of the image that a tile reads. Mirrored ones occur twice. */
export interface Window {
  columns: Int32Array;
  rows: Int32Array;
}

/** The window, upscaled, with the channels of the image. Colour (or grey) and alpha go through the network separately. */
export async function upscaledWindow(
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
    // This is read first, since the network may detach the array that it is given.
    const stored = Uint8Array.from(source.subarray(0, source.length / 3), (value) => Math.round(value * 255));
    putGrey(alpha, await run(source), 1, 0);
    snapAlpha(stored, window.columns.length, alpha, scale);
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
