import { Crc } from './crc';

type Bytes = Uint8Array<ArrayBuffer>;

/** A chunk of a PNG as parts, one after another. */
export function pngChunk(kind: string, body: Bytes[], crc = new Crc()): Bytes[] {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, length);
  for (let n = 0; n < 4; n += 1) head[4 + n] = kind.charCodeAt(n);
  const tail = new Uint8Array(4);
  new DataView(tail.buffer).setUint32(0, crc.of(head.subarray(4), ...body));
  return [head, ...body, tail];
}
