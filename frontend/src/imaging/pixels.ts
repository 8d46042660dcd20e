/** Images in memory, and writers that take their rows from top to bottom. */

import { lengthOf, type Rect, type Size, sizeOf } from './geometry';

/** The weights of red, green and blue in luma: ITU-R BT.601, which the service uses as well. */
export const LUMA = [0.299, 0.587, 0.114] as const;

/** 1: grey. 2: grey, alpha. 3: RGB. 4: RGBA. */
export type Channels = 1 | 2 | 3 | 4;

/**
 * Row after row, channels side by side, 0 to 255, straight alpha. The array is clamped: a stored value is rounded to
 * the nearest whole number, halves to the even one, as numpy does it.
 */
export interface Pixels extends Size {
  channels: Channels;
  data: Uint8ClampedArray<ArrayBuffer>;
}

export interface RowWriter {
  /** Takes whole rows. The caller may change them once the promise has resolved. */
  write(rows: Uint8ClampedArray<ArrayBuffer>): Promise<void>;
}

/** Takes the rows of a result and makes a file of them. */
export interface ImageWriter extends RowWriter {
  /** The complete file. Raises RangeError if rows are missing, ProcessError if the browser cannot write it. */
  finish(): Promise<Blob>;
}

export function newPixels(size: Size, channels: Channels): Pixels {
  const { widthPx, heightPx } = size;
  return { widthPx, heightPx, channels, data: new Uint8ClampedArray(widthPx * heightPx * channels) };
}

export function hasAlpha(channels: Channels): boolean {
  return channels === 2 || channels === 4;
}

/** A copy of the part within `rect`, which lies inside the image. */
export function cutOut(pixels: Pixels, rect: Rect): Pixels {
  const { channels, widthPx, data } = pixels;
  const part = newPixels(sizeOf(rect), channels);
  const rowBytes = lengthOf(rect.x) * channels;
  for (let y = 0; y < part.heightPx; y += 1) {
    const from = ((rect.y.start + y) * widthPx + rect.x.start) * channels;
    part.data.set(data.subarray(from, from + rowBytes), y * rowBytes);
  }
  return part;
}

/** An image of only the wanted channels, in the order given. */
export function pickChannels(pixels: Pixels, wanted: readonly number[]): Pixels {
  const picked = newPixels(pixels, wanted.length as Channels);
  const { channels, data } = pixels;
  wanted.forEach((channel, place) => {
    for (let from = channel, to = place; from < data.length; from += channels, to += wanted.length) {
      picked.data[to] = data[from] as number;
    }
  });
  return picked;
}

/** Fills channels of `target` from `source`, whose channels are `places` there. */
export function putChannels(target: Pixels, source: Pixels, places: readonly number[]): void {
  places.forEach((place, channel) => {
    for (
      let to = place, from = channel;
      to < target.data.length;
      to += target.channels, from += source.channels
    ) {
      target.data[to] = source.data[from] as number;
    }
  });
}

/** The value that all pixels have in one channel; null if they differ. */
export function uniformValue(pixels: Pixels, channel: number): number | null {
  const { data, channels } = pixels;
  const first = data[channel] as number;
  for (let at = channel; at < data.length; at += channels) if (data[at] !== first) return null;
  return first;
}
