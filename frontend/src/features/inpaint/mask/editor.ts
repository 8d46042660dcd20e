import { EMPTY_RECT, isEmptyRect, type Rect, type Size, union } from '../../../imaging/geometry';
import { MaskHistory } from './history';
import { createMask, type Mask } from './mask';

/** A mask that is being drawn, with its history. Listeners are called after each change. */
export class MaskEditor {
  readonly mask: Mask;
  private readonly history: MaskHistory;
  private readonly listeners = new Set<() => void>();
  private touched: Rect = EMPTY_RECT;
  private count = 0;

  constructor(size: Size) {
    this.mask = createMask(size);
    this.history = new MaskHistory(this.mask);
  }

  /** Grows with each change. */
  readonly revision = (): number => this.count;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get canUndo(): boolean {
    return this.history.canUndo;
  }

  get canRedo(): boolean {
    return this.history.canRedo;
  }

  /** Draws a part of a step, for example one piece of a stroke; `commit` ends the step. */
  draw(act: (mask: Mask) => Rect): void {
    const rect = act(this.mask);
    if (isEmptyRect(rect)) return;
    this.touched = union(this.touched, rect);
    this.notify();
  }

  commit(): void {
    this.history.commit(this.touched);
    this.touched = EMPTY_RECT;
    this.notify();
  }

  /** Draws a whole step. */
  apply(act: (mask: Mask) => Rect): void {
    this.commit();
    this.draw(act);
    this.commit();
  }

  /** Forgets what was drawn since the last commit: the stroke turned out to be a pinch. */
  rollBack(): void {
    if (isEmptyRect(this.touched)) return;
    this.history.commit(this.touched);
    this.touched = EMPTY_RECT;
    this.history.undo();
    this.history.forgetRedo();
    this.notify();
  }

  undo(): void {
    this.commit();
    if (this.history.undo()) this.notify();
  }

  redo(): void {
    if (this.history.redo()) this.notify();
  }

  private notify(): void {
    this.count += 1;
    for (const listener of [...this.listeners]) listener();
  }
}
