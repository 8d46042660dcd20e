import { useEffect, useReducer, useRef, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { drawSource, prepare } from '../../ui/viewer/draw';
import type { ImageSource } from '../../ui/viewer/source';
import { pointIn, useViewport } from '../../ui/viewer/useViewport';
import { toImage } from '../../ui/viewer/view';
import viewer from '../../ui/viewer/Viewer.module.css';
import { ZoomBar } from '../../ui/viewer/ZoomBar';
import classes from './Inpaint.module.css';
import type { MaskEditor } from './mask/editor';
import { overlayPixels } from './overlay';
import { Gesture, type Tool } from './tools';

interface Props {
  source: ImageSource;
  editor: MaskEditor;
  tool: Tool;
  brushPx: number;
  isMaskHidden: boolean;
  isLocked: boolean;
}

/** The image, its mask over it, and what the pointer draws. */
export function InpaintCanvas({ source, editor, tool, brushPx, isMaskHidden, isLocked }: Props) {
  const { t } = useTranslation();
  const stage = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const cursor = useRef<HTMLDivElement>(null);
  const gesture = useRef<Gesture | null>(null);
  const touches = useRef(new Set<number>());
  const [isSpaceHeld, setSpaceHeld] = useState(false);
  const [isPixelView, setPixelView] = useState(false);
  const [decoded, redraw] = useReducer((n: number) => n + 1, 0);
  const revision = useSyncExternalStore(editor.subscribe, editor.revision);
  const isPanning = tool === 'hand' || isSpaceHeld || isLocked;
  const viewport = useViewport(stage, source.size, (event) => isPanning || event.buttons === 4);
  const { view, box, handlers } = viewport;
  useSpaceKey(setSpaceHeld);

  useEffect(() => {
    if (!picture.current || box.widthPx === 0) return;
    const context = prepare(picture.current, box);
    if (context)
      drawSource(context, source, { view, box, shown: source.size, isSmooth: !isPixelView }, redraw);
  }, [source, view, box, isPixelView, decoded]);

  useEffect(() => {
    const canvas = overlay.current;
    if (!canvas || box.widthPx === 0) return;
    canvas.width = box.widthPx;
    canvas.height = box.heightPx;
    const context = canvas.getContext('2d');
    if (!context || isMaskHidden) return;
    const pixels = context.createImageData(box.widthPx, box.heightPx);
    overlayPixels(editor.mask, view, box, pixels.data);
    context.putImageData(pixels, 0, 0);
    if (gesture.current) drawOutline(context, gesture.current, view);
  }, [editor, revision, view, box, isMaskHidden, decoded]);

  const at = (event: { clientX: number; clientY: number }) =>
    toImage(view, pointIn(stage.current as HTMLElement, event));

  const onPointerDown = (event: React.PointerEvent<HTMLElement>) => {
    handlers.onPointerDown(event);
    if (event.pointerType === 'touch') touches.current.add(event.pointerId);
    if (touches.current.size > 1) {
      // Two fingers zoom, so what the first one drew was not intended.
      gesture.current = null;
      editor.rollBack();
      return;
    }
    if (isPanning || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    gesture.current = new Gesture(editor, tool, brushPx, event.altKey, at(event));
  };
  const onPointerMove = (event: React.PointerEvent<HTMLElement>) => {
    handlers.onPointerMove(event);
    moveCursor(cursor.current, event, view.scale * brushPx);
    const drawing = gesture.current;
    if (!drawing) return;
    for (const move of movesOf(event.nativeEvent)) drawing.move(at(move));
    redraw();
  };
  const onPointerUp = (event: React.PointerEvent<HTMLElement>) => {
    handlers.onPointerUp(event);
    touches.current.delete(event.pointerId);
    gesture.current?.end();
    gesture.current = null;
    redraw();
  };
  const hasBrush = !isPanning && (tool === 'brush' || tool === 'eraser');
  return (
    <div ref={stage} className={`${viewer.stage} ${classes.stage}`} data-testid="inpaint-stage">
      <canvas ref={picture} className={viewer.canvas} />
      <canvas
        ref={overlay}
        className={viewer.canvas}
        style={{ cursor: isPanning ? 'grab' : hasBrush ? 'none' : 'crosshair' }}
        tabIndex={0}
        role="img"
        aria-label={t('inpaint.canvas')}
        data-testid="inpaint-canvas"
        data-revision={revision}
        onKeyDown={handlers.onKeyDown}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={onPointerUp}
        onPointerLeave={() => cursor.current && (cursor.current.style.opacity = '0')}
      />
      <div ref={cursor} className={classes.cursor} style={{ visibility: hasBrush ? 'visible' : 'hidden' }} />
      <ZoomBar viewport={viewport} isPixelView={isPixelView} onPixelView={setPixelView} />
    </div>
  );
}

/** The outline of a rectangle or a lasso that is not finished. */
function drawOutline(
  context: CanvasRenderingContext2D,
  { tool, points }: Gesture,
  view: { scale: number; x: number; y: number },
): void {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || (tool !== 'rectangle' && tool !== 'lasso')) return;
  const corners =
    tool === 'lasso' ? points : [first, { x: last.x, y: first.y }, last, { x: first.x, y: last.y }];
  context.beginPath();
  for (const point of corners) context.lineTo(point.x * view.scale + view.x, point.y * view.scale + view.y);
  context.closePath();
  context.fillStyle = 'rgb(226 54 70 / 30%)';
  context.fill();
  context.strokeStyle = '#fff';
  context.lineWidth = 3;
  context.stroke();
  context.strokeStyle = '#c02335';
  context.lineWidth = 1.5;
  context.stroke();
}

/**
 * Where the pointer was since the last frame of the screen. Safari before 18.2, and browsers whose page comes by plain
 * HTTP from another machine, tell the last place alone.
 */
function movesOf(event: PointerEvent): PointerEvent[] {
  const moves = 'getCoalescedEvents' in event ? event.getCoalescedEvents() : [];
  return moves.length > 0 ? moves : [event];
}

/** Moves the cursor directly, since a render for each move of the pointer would be slow. */
function moveCursor(
  cursor: HTMLElement | null,
  event: React.PointerEvent<HTMLElement>,
  sizePx: number,
): void {
  if (!cursor) return;
  const { x, y } = pointIn(event.currentTarget, event);
  const size = Math.max(4, sizePx);
  cursor.style.opacity = '1';
  cursor.style.width = `${size}px`;
  cursor.style.height = `${size}px`;
  cursor.style.transform = `translate(${x - size / 2}px, ${y - size / 2}px)`;
}

function useSpaceKey(onChange: (isHeld: boolean) => void): void {
  useEffect(() => {
    const on = (isHeld: boolean) => (event: KeyboardEvent) => {
      const isElsewhere =
        event.target instanceof Element && event.target.closest('button, input, a, [role="slider"]');
      if (event.key !== ' ' || isElsewhere) return;
      event.preventDefault();
      onChange(isHeld);
    };
    const [down, up] = [on(true), on(false)];
    window.addEventListener('keydown', down);
    window.addEventListener('keyup', up);
    return () => {
      window.removeEventListener('keydown', down);
      window.removeEventListener('keyup', up);
    };
  }, [onChange]);
}
