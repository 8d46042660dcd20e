import { useEffect, useReducer, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Divider } from './Divider';
import { drawSource, prepare } from './draw';
import { useSource } from './useSource';
import { useViewport } from './useViewport';
import classes from './Viewer.module.css';
import { ZoomBar } from './ZoomBar';

export interface Picture {
  file: Blob;
  widthPx: number | null;
  heightPx: number | null;
  /** The name to show if this browser cannot decode it. */
  format: string;
}

/** One image, or two with a movable border between them. Zoom and position are the same for both. */
export function CompareViewer({ before, after }: { before: Picture | null; after: Picture | null }) {
  const { t } = useTranslation();
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [share, setShare] = useState(0.5);
  const [isPixelView, setPixelView] = useState(false);
  const [decoded, redraw] = useReducer((n: number) => n + 1, 0);
  const first = useSource(before?.file ?? null, before?.widthPx ?? null, before?.heightPx ?? null);
  const second = useSource(after?.file ?? null, after?.widthPx ?? null, after?.heightPx ?? null);
  // The result's size is known while it is being decoded, so that nothing jumps when it appears.
  const shown = second.source?.size ?? first.source?.size ?? null;
  const viewport = useViewport(stage, shown);
  const { view, box } = viewport;
  const isComparing = first.source !== null && second.source !== null;

  useEffect(() => {
    if (!canvas.current || box.widthPx === 0) return;
    const context = prepare(canvas.current, box);
    if (!context || !shown) return;
    const placed = { view, box, shown, isSmooth: !isPixelView };
    const border = box.widthPx * share;
    if (second.source) {
      context.save();
      if (first.source) clip(context, border, box.widthPx - border, box.heightPx);
      drawSource(context, second.source, placed, redraw);
      context.restore();
    }
    if (first.source) {
      context.save();
      if (second.source) clip(context, 0, border, box.heightPx);
      drawSource(context, first.source, placed, redraw);
      context.restore();
    }
  }, [first.source, second.source, view, box, shown, share, isPixelView, decoded]);

  const unseen = second.state === 'failed' ? after : !after && first.state === 'failed' ? before : null;
  const isOpening = first.state === 'opening' || second.state === 'opening';
  return (
    <div ref={stage} className={classes.stage} data-testid="viewer" data-comparing={isComparing || undefined}>
      <canvas
        ref={canvas}
        className={classes.canvas}
        tabIndex={0}
        role="img"
        aria-label={t('viewer.canvas')}
        {...viewport.handlers}
      />
      {unseen && <div className={classes.message}>{t('viewer.cannotShow', { format: unseen.format })}</div>}
      {!unseen && !shown && (
        <div className={classes.message}>{isOpening ? t('viewer.loading') : t('viewer.empty')}</div>
      )}
      {isComparing && <Divider share={share} onShare={setShare} stage={stage} />}
      {shown && <ZoomBar viewport={viewport} isPixelView={isPixelView} onPixelView={setPixelView} />}
    </div>
  );
}

function clip(context: CanvasRenderingContext2D, x: number, width: number, height: number): void {
  context.beginPath();
  context.rect(x, 0, width, height);
  context.clip();
}
