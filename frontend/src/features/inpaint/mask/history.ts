import { isEmptyRect, lengthOf, type Rect } from '../../../imaging/geometry';
import type { Mask } from './mask';

/** What a step changed, as the lengths of runs within its rectangle. */
interface Step {
  rect: Rect;
  before: Uint32Array;
  after: Uint32Array;
}

const MAX_STEPS = 200;

/** Undo and redo for a mask. */
export class MaskHistory {
  private readonly mask: Mask;
  /** The mask as it was at the last commit. */
  private readonly committed: Uint8Array;
  private readonly undone: Step[] = [];
  private readonly done: Step[] = [];

  constructor(mask: Mask) {
    this.mask = mask;
    this.committed = mask.data.slice();
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** Makes one step of what was drawn since the last commit, all of which lies within `rect`. */
  commit(rect: Rect): void {
    if (isEmptyRect(rect)) return;
    const before = runsOf(this.committed, this.mask.widthPx, rect);
    const after = runsOf(this.mask.data, this.mask.widthPx, rect);
    if (before.length === after.length && before.every((run, n) => run === after[n])) return;
    this.done.push({ rect, before, after });
    if (this.done.length > MAX_STEPS) this.done.shift();
    this.undone.length = 0;
    this.write(rect, after, this.committed);
  }

  undo(): boolean {
    return this.move(this.done, this.undone, (step) => step.before);
  }

  redo(): boolean {
    return this.move(this.undone, this.done, (step) => step.after);
  }

  forgetRedo(): void {
    this.undone.length = 0;
  }

  private move(from: Step[], to: Step[], runs: (step: Step) => Uint32Array): boolean {
    const step = from.pop();
    if (!step) return false;
    to.push(step);
    this.write(step.rect, runs(step), this.committed);
    this.write(step.rect, runs(step), this.mask.data);
    return true;
  }

  private write({ x, y }: Rect, runs: Uint32Array, target: Uint8Array): void {
    const width = lengthOf(x);
    let at = 0;
    let value = 0;
    for (const run of runs) {
      for (let left = run; left > 0;) {
        const row = y.start + Math.floor(at / width);
        const column = at % width;
        const length = Math.min(left, width - column);
        const start = row * this.mask.widthPx + x.start + column;
        target.fill(value, start, start + length);
        at += length;
        left -= length;
      }
      value = 255 - value;
    }
  }
}

/** Lengths of runs in row order. The first is a run of zeros, which may be empty. */
function runsOf(data: Uint8Array, widthPx: number, { x, y }: Rect): Uint32Array {
  const runs: number[] = [];
  let value = 0;
  let length = 0;
  for (let row = y.start; row < y.stop; row += 1) {
    const end = row * widthPx + x.stop;
    for (let at = row * widthPx + x.start; at < end;) {
      const next = data.indexOf(255 - value, at);
      const stop = next < 0 || next > end ? end : next;
      length += stop - at;
      at = stop;
      if (at < end) {
        runs.push(length);
        length = 0;
        value = 255 - value;
      }
    }
  }
  runs.push(length);
  return Uint32Array.from(runs);
}
