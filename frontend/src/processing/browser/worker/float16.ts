/** IEEE 754 half precision, which not every browser has as an array. */

export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest value, halves to even. Values that are too large become infinite. */
export function toFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = size === 0 ? -14 : Math.max(-14, Math.floor(Math.log2(size)));
  const steps = size / 2 ** (exponent - 10);
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  // If rounding reaches the next power of two, the sum carries into the exponent as it should.
  return sign | (rounded + (exponent + 14) * 1024);
}

/**
 * A network between two of the same layout: `share` of the partner's weights and the rest of its own (deep network
 * interpolation, Wang et al., 2018). `places` are offset and count of each run of float16 weights.
 */
export function mixedWeights(
  own: Uint8Array<ArrayBuffer>,
  partner: Uint8Array<ArrayBuffer>,
  places: readonly (readonly number[])[],
  share: number,
): Uint8Array<ArrayBuffer> {
  const mixed = own.slice();
  const [a, b, target] = [own, partner, mixed].map(
    (bytes) => new DataView(bytes.buffer, bytes.byteOffset),
  ) as [DataView, DataView, DataView];
  for (const [start = 0, count = 0] of places) {
    for (let at = start; at < start + 2 * count; at += 2) {
      const value =
        (1 - share) * fromFloat16(a.getUint16(at, true)) + share * fromFloat16(b.getUint16(at, true));
      target.setUint16(at, toFloat16(value), true);
    }
  }
  return mixed;
}
