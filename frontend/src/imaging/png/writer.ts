/**
 * Writes a PNG while its rows arrive. The encoder of a canvas holds the whole image, limits its sides, and multiplies
 * colour with alpha and divides again, which changes pixels that are nearly transparent.
 */

import { PNG_SIGNATURE } from '../headers/png';
import type { Size } from '../geometry';
import type { Channels, ImageWriter } from '../pixels';
import { pngChunk } from './chunk';
import { Crc } from './crc';

type Bytes = Uint8Array<ArrayBuffer>;

const COLOUR_TYPES: Record<Channels, number> = { 1: 0, 2: 4, 3: 2, 4: 6 };
const SUB = 1;
const UP = 2;
const CHUNK_BYTES = 1 << 20;
/** After so many bytes, the written part becomes a Blob, which the browser may keep on disk. */
const FOLDED_BYTES = 32 << 20;

export class PngWriter implements ImageWriter {
  private readonly size: Size;
  private readonly channels: Channels;
  private readonly crc = new Crc();
  private readonly input: WritableStreamDefaultWriter<BufferSource>;
  private readonly packing: Promise<void>;
  private above: Uint8ClampedArray<ArrayBuffer>;
  private seenRows = 0;
  private file: BlobPart[] = [];
  private unfoldedBytes = 0;
  private pending: Bytes[] = [];
  private pendingBytes = 0;

  constructor(size: Size, channels: Channels) {
    this.size = size;
    this.channels = channels;
    this.above = new Uint8ClampedArray(size.widthPx * channels);
    const header = new DataView(new ArrayBuffer(13));
    header.setUint32(0, size.widthPx);
    header.setUint32(4, size.heightPx);
    header.setUint8(8, 8);
    header.setUint8(9, COLOUR_TYPES[channels]);
    this.file.push(PNG_SIGNATURE);
    this.addChunk('IHDR', [new Uint8Array(header.buffer)]);
    const { writable, readable } = new CompressionStream('deflate');
    this.input = writable.getWriter();
    this.packing = this.pack(readable.getReader());
    // `finish` reports a failure; without this it would be unhandled until then.
    this.packing.catch(() => undefined);
  }

  async write(rows: Uint8ClampedArray<ArrayBuffer>): Promise<void> {
    const rowBytes = this.size.widthPx * this.channels;
    const count = rows.length / rowBytes;
    this.seenRows += count;
    const filtered = new Uint8Array(count * (rowBytes + 1));
    for (let y = 0; y < count; y += 1) {
      const row = rows.subarray(y * rowBytes, (y + 1) * rowBytes);
      this.filter(row, filtered.subarray(y * (rowBytes + 1), (y + 1) * (rowBytes + 1)));
      this.above = row;
    }
    this.above = this.above.slice();
    await this.input.ready;
    await this.input.write(filtered);
  }

  async finish(): Promise<Blob> {
    if (this.seenRows !== this.size.heightPx) {
      throw new RangeError(`${this.seenRows} rows were written of ${this.size.heightPx}`);
    }
    await this.input.close();
    await this.packing;
    this.addChunk('IEND', []);
    return new Blob(this.file, { type: 'image/png' });
  }

  /** Subtracts the left neighbour or the one above, depending on which leaves smaller differences. */
  private filter(row: Uint8ClampedArray, target: Uint8Array): void {
    const { above, channels } = this;
    let bySub = 0;
    let byUp = 0;
    for (let i = 0; i < row.length; i += 1) {
      const value = row[i] as number;
      bySub += Math.abs(value - (i < channels ? 0 : (row[i - channels] as number)));
      byUp += Math.abs(value - (above[i] as number));
    }
    target[0] = bySub <= byUp ? SUB : UP;
    if (bySub <= byUp) {
      for (let i = 0; i < row.length; i += 1) {
        target[i + 1] = (row[i] as number) - (i < channels ? 0 : (row[i - channels] as number));
      }
    } else {
      for (let i = 0; i < row.length; i += 1) target[i + 1] = (row[i] as number) - (above[i] as number);
    }
  }

  private async pack(reader: ReadableStreamDefaultReader<Bytes>): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (value !== undefined) {
        this.pending.push(value);
        this.pendingBytes += value.length;
      }
      if (this.pendingBytes >= CHUNK_BYTES || (done && this.pendingBytes > 0)) {
        this.addChunk('IDAT', this.pending);
        this.pending = [];
        this.pendingBytes = 0;
      }
      if (done) return;
    }
  }

  private addChunk(kind: string, body: Bytes[]): void {
    const chunk = pngChunk(kind, body, this.crc);
    this.file.push(...chunk);
    this.unfoldedBytes += chunk.reduce((sum, part) => sum + part.length, 0);
    if (this.unfoldedBytes >= FOLDED_BYTES) {
      this.file = [new Blob(this.file)];
      this.unfoldedBytes = 0;
    }
  }
}
