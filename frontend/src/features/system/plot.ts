/** Lines over time, as paths of an SVG. */

export interface Sample {
  timeS: number;
  value: number | null;
}

export interface Frame {
  width: number;
  height: number;
  fromS: number;
  toS: number;
  most: number;
}

/** The line is interrupted if a value is missing or if samples lie far apart. */
export function linePath(samples: readonly Sample[], frame: Frame, gapS: number): string {
  let path = '';
  let before: number | null = null;
  for (const { timeS, value } of samples) {
    if (value === null) {
      before = null;
      continue;
    }
    const isJoined: boolean = before !== null && timeS - before <= gapS;
    const x = ((timeS - frame.fromS) / Math.max(1e-9, frame.toS - frame.fromS)) * frame.width;
    const y = frame.height - (value / frame.most) * frame.height;
    path += `${isJoined ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    before = timeS;
  }
  return path;
}

/** The next round number, at or above the value. */
export function niceMost(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const steps = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((step) => step * power);
  return steps.find((step) => step >= value) ?? value;
}
