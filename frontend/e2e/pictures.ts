import { crc32, deflateSync } from 'node:zlib';

/** A PNG of waves. Another seed gives another image. */
export function picture(width: number, height: number, seed = 1): Buffer {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * (1 + width * 3) + 1 + x * 3;
      rows[at] = 128 + 100 * Math.sin((x + seed * 31) / 9);
      rows[at + 1] = 128 + 100 * Math.sin((y + seed * 17) / 7);
      rows[at + 2] = (x * 3 + y * 5 + seed * 40) % 256;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const body = deflateSync(rows, { level: 1 });
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', body),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(kind: string, data: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, tail]);
}

export function sizeOfPng(data: Buffer): [number, number] {
  return [data.readUInt32BE(16), data.readUInt32BE(20)];
}

/** Two frames of one pixel, byte by byte, since no library here writes animations. */
export function animation(): Buffer {
  const frame = '2c00000000010001000002024401' + '00';
  return Buffer.from(`47494638396101000100800000000000ffffff${frame}${frame}3b`, 'hex');
}
