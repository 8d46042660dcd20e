/**
 * Resizes rows while they arrive to the exact size that was asked for, as imaging/resize.py does with libvips: Lanczos3
 * to shrink, Catmull-Rom to grow. A shrunk result is within 1 of 255 of the service's, and within 2 at sharp edges,
 * since libvips places its kernels on a grid of 1/64 px. For a grown result the difference has not been measured.
 *
 * Colour is weighted with alpha, so that the colour of invisible pixels does not bleed into visible ones.
 */

import type { Size } from '../../../imaging/geometry';
import { hasAlpha, type Channels, type RowWriter } from '../../../imaging/pixels';
import { axisWeights, type AxisWeights } from './kernels';

/** Returns `writer` itself if both sizes are the same. */
export function resized(from: Size, to: Size, channels: Channels, writer: RowWriter): RowWriter {
  if (from.widthPx === to.widthPx && from.heightPx === to.heightPx) return writer;
  return new Resizer(from, to, channels, writer);
}

class Resizer implements RowWriter {
  private readonly from: Size;
  private readonly to: Size;
  private readonly channels: Channels;
  private readonly writer: RowWriter;
  private readonly across: AxisWeights;
  private readonly down: AxisWeights;
  /** The source rows from `firstRow` on that are still needed; colour is multiplied with alpha if there is alpha. */
  private held: Float32Array[] = [];
  private firstRow = 0;
  private nextRow = 0;

  constructor(from: Size, to: Size, channels: Channels, writer: RowWriter) {
    this.from = from;
    this.to = to;
    this.channels = channels;
    this.writer = writer;
    this.across = axisWeights(from.widthPx, to.widthPx);
    this.down = axisWeights(from.heightPx, to.heightPx);
  }

  async write(rows: Uint8ClampedArray<ArrayBuffer>): Promise<void> {
    const rowLength = this.from.widthPx * this.channels;
    for (let at = 0; at < rows.length; at += rowLength) {
      this.held.push(weighted(rows.subarray(at, at + rowLength), this.channels));
    }
    const last = this.nextReady();
    if (last === this.nextRow) return;
    const targetLength = this.to.widthPx * this.channels;
    const finished = new Uint8ClampedArray((last - this.nextRow) * targetLength);
    const between = new Float32Array(rowLength);
    for (let y = this.nextRow; y < last; y += 1) {
      this.mixRows(y, between);
      const at = (y - this.nextRow) * targetLength;
      this.mixColumns(between, finished.subarray(at, at + targetLength));
    }
    this.nextRow = last;
    this.forget();
    await this.writer.write(finished);
  }

  /** The first row of the result that needs source rows which have not arrived yet. */
  private nextReady(): number {
    const seen = this.firstRow + this.held.length;
    if (seen === this.from.heightPx) return this.to.heightPx;
    let y = this.nextRow;
    while (y < this.to.heightPx && (this.down.starts[y] as number) + this.down.taps <= seen) y += 1;
    return y;
  }

  private mixRows(y: number, between: Float32Array): void {
    const { taps, starts, weights } = this.down;
    between.fill(0);
    for (let tap = 0; tap < taps; tap += 1) {
      const weight = weights[y * taps + tap] as number;
      if (weight === 0) continue;
      const row = this.rowAt((starts[y] as number) + tap);
      for (let i = 0; i < between.length; i += 1) {
        between[i] = (between[i] as number) + weight * (row[i] as number);
      }
    }
    // libvips also rounds between the two directions, except for premultiplied colour.
    if (hasAlpha(this.channels)) return;
    for (let i = 0; i < between.length; i += 1) {
      between[i] = Math.min(255, Math.max(0, Math.round(between[i] as number)));
    }
  }

  private mixColumns(between: Float32Array, target: Uint8ClampedArray): void {
    const { taps, starts, weights } = this.across;
    const { channels } = this;
    const lastColumn = this.from.widthPx - 1;
    const sums = new Float64Array(channels);
    for (let x = 0; x < this.to.widthPx; x += 1) {
      sums.fill(0);
      for (let tap = 0; tap < taps; tap += 1) {
        const column = Math.min(lastColumn, Math.max(0, (starts[x] as number) + tap));
        const weight = weights[x * taps + tap] as number;
        for (let k = 0; k < channels; k += 1) {
          sums[k] = (sums[k] as number) + weight * (between[column * channels + k] as number);
        }
      }
      putStraight(sums, target, x * channels, channels);
    }
  }

  private rowAt(y: number): Float32Array {
    const inside = Math.min(this.from.heightPx - 1, Math.max(0, y));
    return this.held[inside - this.firstRow] as Float32Array;
  }

  private forget(): void {
    if (this.nextRow >= this.to.heightPx) {
      this.held = [];
      return;
    }
    const needed = Math.min(Math.max(this.down.starts[this.nextRow] as number, 0), this.from.heightPx - 1);
    this.held.splice(0, needed - this.firstRow);
    this.firstRow = needed;
  }
}

function weighted(row: Uint8ClampedArray, channels: Channels): Float32Array {
  const values = Float32Array.from(row);
  if (!hasAlpha(channels)) return values;
  for (let at = 0; at < values.length; at += channels) {
    const share = (values[at + channels - 1] as number) / 255;
    for (let k = at; k < at + channels - 1; k += 1) values[k] = share * (values[k] as number);
  }
  return values;
}

function putStraight(sums: Float64Array, target: Uint8ClampedArray, at: number, channels: Channels): void {
  if (!hasAlpha(channels)) {
    for (let k = 0; k < channels; k += 1) target[at + k] = sums[k] as number;
    return;
  }
  const alpha = Math.min(255, Math.max(0, sums[channels - 1] as number));
  for (let k = 0; k < channels - 1; k += 1) {
    target[at + k] = alpha > 0 ? (255 * (sums[k] as number)) / alpha : 0;
  }
  target[at + channels - 1] = alpha;
}
