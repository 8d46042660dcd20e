/** Weights for resizing along one axis, by the kernels that libvips uses for the service. */

/** For each place of the result: the start of its taps in the source, which may lie outside, and `taps` weights. */
export interface AxisWeights {
  taps: number;
  starts: Int32Array;
  weights: Float32Array;
}

const LANCZOS_LOBES = 3;

/** Lanczos3, its width in source pixels, if the axis shrinks; Catmull-Rom if it grows. */
export function axisWeights(fromPx: number, toPx: number): AxisWeights {
  const step = fromPx / toPx;
  const shrinks = step > 1;
  const radius = shrinks ? LANCZOS_LOBES * step : 2;
  const taps = Math.ceil(2 * radius) + 1;
  const starts = new Int32Array(toPx);
  const weights = new Float32Array(toPx * taps);
  for (let place = 0; place < toPx; place += 1) {
    const centre = (place + 0.5) * step - 0.5;
    const start = Math.ceil(centre - radius);
    starts[place] = start;
    let total = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const distance = start + tap - centre;
      const weight = shrinks ? lanczos(distance / step) : catmullRom(distance);
      weights[place * taps + tap] = weight;
      total += weight;
    }
    for (let tap = place * taps; tap < (place + 1) * taps; tap += 1) {
      weights[tap] = (weights[tap] as number) / total;
    }
  }
  return { taps, starts, weights };
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LANCZOS_LOBES) return 0;
  const angle = Math.PI * x;
  return (LANCZOS_LOBES * Math.sin(angle) * Math.sin(angle / LANCZOS_LOBES)) / angle ** 2;
}

function catmullRom(x: number): number {
  const t = Math.abs(x);
  if (t >= 2) return 0;
  return t < 1 ? (1.5 * t - 2.5) * t * t + 1 : ((-0.5 * t + 2.5) * t - 4) * t + 2;
}
