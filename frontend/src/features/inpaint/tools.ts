import type { Point } from '../../imaging/geometry';
import { drawPolygon, drawRectangle, drawStroke } from './mask/draw';
import type { MaskEditor } from './mask/editor';
import type { MaskValue } from './mask/mask';

export type Tool = 'brush' | 'eraser' | 'rectangle' | 'lasso' | 'hand';
export const TOOLS: readonly Tool[] = ['brush', 'eraser', 'rectangle', 'lasso', 'hand'];
export const TOOL_KEYS: Record<Tool, string> = {
  brush: 'b',
  eraser: 'e',
  rectangle: 'r',
  lasso: 'l',
  hand: 'h',
};

/** What is drawn between the press of the pointer and its release, in px of the image. */
export class Gesture {
  readonly tool: Tool;
  readonly points: Point[];
  private readonly editor: MaskEditor;
  private readonly brushPx: number;
  private readonly value: MaskValue;

  constructor(editor: MaskEditor, tool: Tool, brushPx: number, isRemoving: boolean, start: Point) {
    this.editor = editor;
    this.tool = tool;
    this.brushPx = brushPx;
    this.value = (tool === 'eraser') === isRemoving ? 255 : 0;
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
    // The smallest brush must reach the centre of the pixel that it is in.
    const radiusPx = Math.max(this.brushPx / 2, Math.SQRT1_2);
    this.editor.draw((mask) => drawStroke(mask, from, to, radiusPx, this.value));
  }
}
