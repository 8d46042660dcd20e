/** A mask that is being drawn, with its history; tells whoever watches when it has changed. */

import { MaskHistory } from './history';
import { createMask, isNowhere, type Mask, NOWHERE, type Rect, union } from './mask';

export class MaskEditor {
  readonly mask: Mask;
  private readonly history: MaskHistory;
  private readonly listeners = new Set<() => void>();
  private touched: Rect = NOWHERE;
  private count = 0;

  constructor(widthPx: number, heightPx: number) {
    this.mask = createMask(widthPx, heightPx);
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

  /** Part of a step, as one piece of a stroke; `commit` ends the step. */
  draw(act: (mask: Mask) => Rect): void {
    const rect = act(this.mask);
    if (isNowhere(rect)) return;
    this.touched = union(this.touched, rect);
    this.tell();
  }

  commit(): void {
    this.history.commit(this.touched);
    this.touched = NOWHERE;
    this.tell();
  }

  /** A whole step. */
  apply(act: (mask: Mask) => Rect): void {
    this.commit();
    this.draw(act);
    this.commit();
  }

  /** Forget what was drawn since the last commit: the stroke turned out to be a pinch. */
  rollBack(): void {
    if (isNowhere(this.touched)) return;
    this.history.commit(this.touched);
    this.touched = NOWHERE;
    this.history.undo();
    this.history.forgetRedo();
    this.tell();
  }

  undo(): void {
    this.commit();
    if (this.history.undo()) this.tell();
  }

  redo(): void {
    if (this.history.redo()) this.tell();
  }

  private tell(): void {
    this.count += 1;
    for (const listener of [...this.listeners]) listener();
  }
}
