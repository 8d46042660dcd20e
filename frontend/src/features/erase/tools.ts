import { LEAST_BRUSH_PX, MOST_BRUSH_PX } from './brush';
import type { MaskEditor } from '../../mask/editor';
import { drawPolygon, drawRectangle, drawStroke, type MaskValue, type Point } from '../../mask/mask';

export type Tool = 'brush' | 'eraser' | 'rectangle' | 'lasso' | 'hand';
export const TOOLS: readonly Tool[] = ['brush', 'eraser', 'rectangle', 'lasso', 'hand'];
export const TOOL_KEYS: Record<Tool, string> = {
  brush: 'b',
  eraser: 'e',
  rectangle: 'r',
  lasso: 'l',
  hand: 'h',
};

const BRUSH_STEP = 1.25;

/** One step of the keyboard: as much larger or smaller as it is large. */
export function steppedBrush(px: number, direction: 1 | -1): number {
  const next = direction === 1 ? Math.max(px + 1, px * BRUSH_STEP) : Math.min(px - 1, px / BRUSH_STEP);
  return Math.round(Math.min(MOST_BRUSH_PX, Math.max(LEAST_BRUSH_PX, next)));
}

/** What is being drawn between a press and its release, in px of the image. */
export class Gesture {
  readonly tool: Tool;
  readonly points: Point[];
  private readonly editor: MaskEditor;
  private readonly brushPx: number;
  private readonly value: MaskValue;

  constructor(editor: MaskEditor, tool: Tool, brushPx: number, takesAway: boolean, start: Point) {
    this.editor = editor;
    this.tool = tool;
    this.brushPx = brushPx;
    this.value = (tool === 'eraser') === takesAway ? 255 : 0;
    this.points = [start];
    if (this.isStroke) this.stroke(start, start);
  }

  private get isStroke(): boolean {
    return this.tool === 'brush' || this.tool === 'eraser';
  }

  move(to: Point): void {
    const last = this.points.at(-1) as Point;
    this.points.push(to);
    if (this.isStroke) this.stroke(last, to);
  }

  end(): void {
    const [first] = this.points as [Point];
    const last = this.points.at(-1) as Point;
    if (this.tool === 'rectangle') this.editor.draw((mask) => drawRectangle(mask, first, last, this.value));
    if (this.tool === 'lasso') this.editor.draw((mask) => drawPolygon(mask, this.points, this.value));
    this.editor.commit();
  }

  private stroke(from: Point, to: Point): void {
    // Even the smallest brush reaches the centre of the pixel that it is in.
    const radiusPx = Math.max(this.brushPx / 2, Math.SQRT1_2);
    this.editor.draw((mask) => drawStroke(mask, from, to, radiusPx, this.value));
  }
}
