/** The CRC-32 of PNG chunks. */
export class Crc {
  private readonly table = Uint32Array.from({ length: 256 }, (_, n) => {
    let value = n;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value;
  });

  /** The checksum of all parts, one after another. */
  of(...parts: Uint8Array[]): number {
    let sum = 0xffffffff;
    for (const part of parts) {
      for (let i = 0; i < part.length; i += 1) {
        sum = (this.table[(sum ^ (part[i] as number)) & 0xff] as number) ^ (sum >>> 8);
      }
    }
    return (sum ^ 0xffffffff) >>> 0;
  }
}
