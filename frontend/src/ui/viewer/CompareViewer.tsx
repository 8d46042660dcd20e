import { IconArrowsHorizontal } from '@tabler/icons-react';
import { useEffect, useReducer, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { drawSource, prepare } from './draw';
import { useSource } from './useSource';
import { pointIn, useViewport } from './useViewport';
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
      {isComparing && (
        <>
          <span className={classes.label} data-side="before">
            {t('viewer.before')}
          </span>
          <span className={classes.label} data-side="after">
            {t('viewer.after')}
          </span>
          <Divider share={share} onShare={setShare} stage={stage} />
        </>
      )}
      {shown && <ZoomBar viewport={viewport} isPixelView={isPixelView} onPixelView={setPixelView} />}
    </div>
  );
}

interface DividerProps {
  share: number;
  onShare: (share: number) => void;
  stage: React.RefObject<HTMLDivElement | null>;
}

function Divider({ share, onShare, stage }: DividerProps) {
  const { t } = useTranslation();
  const isHeld = useRef(false);
  const follow = (event: React.PointerEvent) => {
    if (isHeld.current && stage.current) {
      const at = pointIn(stage.current, event).x / stage.current.clientWidth;
      onShare(Math.min(1, Math.max(0, at)));
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowLeft: -0.02,
      ArrowRight: 0.02,
      PageDown: -0.1,
      PageUp: 0.1,
      Home: -1,
      End: 1,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onShare(Math.min(1, Math.max(0, share + step)));
  };
  return (
    <div
      className={classes.divider}
      style={{ left: `${share * 100}%` }}
      role="slider"
      tabIndex={0}
      aria-label={t('viewer.slider')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      aria-orientation="horizontal"
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        isHeld.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={follow}
      onPointerUp={() => (isHeld.current = false)}
      onPointerCancel={() => (isHeld.current = false)}
    >
      <span className={classes.grip}>
        <IconArrowsHorizontal size={18} aria-hidden />
      </span>
    </div>
  );
}

function clip(context: CanvasRenderingContext2D, x: number, width: number, height: number): void {
  context.beginPath();
  context.rect(x, 0, width, height);
  context.clip();
}
