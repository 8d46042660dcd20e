/** Writes a mask as an 8-bit greyscale PNG: no canvas, which would take four times the memory. */

import type { Mask } from './mask';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const ROWS_AT_ONCE = 256;

export async function encodeMask(mask: Mask): Promise<Blob> {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, mask.widthPx);
  header.setUint32(4, mask.heightPx);
  header.setUint8(8, 8); // bits per sample; colour type 0 is grey
  const packed = await new Response(rowsOf(mask).pipeThrough(new CompressionStream('deflate'))).arrayBuffer();
  const crc = crcTable();
  const chunks = [
    chunk(crc, 'IHDR', new Uint8Array(header.buffer)),
    chunk(crc, 'IDAT', new Uint8Array(packed)),
    chunk(crc, 'IEND', new Uint8Array(0)),
  ];
  return new Blob([SIGNATURE, ...chunks.flat()], { type: 'image/png' });
}

function rowsOf(mask: Mask): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { widthPx, heightPx, data } = mask;
  let y = 0;
  return new ReadableStream({
    pull: (controller) => {
      const rows = Math.min(ROWS_AT_ONCE, heightPx - y);
      // Each row begins with its filter, 0: as it is.
      const block = new Uint8Array(rows * (widthPx + 1));
      for (let n = 0; n < rows; n += 1, y += 1) {
        block.set(data.subarray(y * widthPx, (y + 1) * widthPx), n * (widthPx + 1) + 1);
      }
      if (rows > 0) controller.enqueue(block);
      if (y >= heightPx) controller.close();
    },
  });
}

function chunk(crc: Uint32Array, kind: string, body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, body.length);
  for (let n = 0; n < 4; n += 1) head[4 + n] = kind.charCodeAt(n);
  let sum = 0xffffffff;
  for (const part of [head.subarray(4), body]) {
    for (const byte of part) sum = (crc[(sum ^ byte) & 0xff] as number) ^ (sum >>> 8);
  }
  const tail = new Uint8Array(4);
  new DataView(tail.buffer).setUint32(0, (sum ^ 0xffffffff) >>> 0);
  return [head, body, tail];
}

function crcTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, n) => {
    let value = n;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value;
  });
}
