import { IconArrowsHorizontal } from '@tabler/icons-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { pointIn } from './useViewport';
import classes from './Viewer.module.css';

interface Props {
  /** Where it is: 0 to 1 of the stage's width. */
  share: number;
  onShare: (share: number) => void;
  stage: React.RefObject<HTMLDivElement | null>;
}

/** The movable border between before and after, with what is on either side of it. */
export function Divider({ share, onShare, stage }: Props) {
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
    <>
      <span className={classes.label} data-side="before">
        {t('viewer.before')}
      </span>
      <span className={classes.label} data-side="after">
        {t('viewer.after')}
      </span>
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
    </>
  );
}
