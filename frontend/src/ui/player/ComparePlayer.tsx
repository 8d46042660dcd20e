import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Size } from '../../imaging/geometry';
import { Divider } from '../viewer/Divider';
import { useViewport } from '../viewer/useViewport';
import viewer from '../viewer/Viewer.module.css';
import { ZoomBar } from '../viewer/ZoomBar';
import { Controls } from './Controls';
import { Layer } from './Layer';
import type { Media } from './media';
import classes from './Player.module.css';
import { useInStep } from './useInStep';
import { usePlayback } from './usePlayback';

interface Props {
  before: Media | null;
  after: Media | null;
  /** Where the result begins in the original. */
  offsetS: number;
  /** The result has no sound yet, so the original is heard. */
  isAfterSilent: boolean;
  /** Stands in the middle while there is nothing to show. */
  empty: React.ReactNode;
  /** The place in the original. */
  onTime: (timeS: number) => void;
}

/** One film, or two in step with a movable border between them. Zoom and position are the same for both. */
export function ComparePlayer({ before, after, offsetS, isAfterSilent, empty, onTime }: Props) {
  const { t } = useTranslation();
  const stage = useRef<HTMLDivElement>(null);
  const [share, setShare] = useState(0.5);
  const [isPixelView, setPixelView] = useState(false);
  const [isMuted, setMuted] = useState(false);
  const first = useLayer(before);
  const second = useLayer(after);
  const shown = second.size ?? first.size;
  const isComparing = first.size !== null && second.size !== null;
  const viewport = useViewport(stage, shown);
  const { view } = viewport;
  const leader = second.size ? second.video : (first.video ?? second.video);
  const follower = isComparing && leader === second.video ? first.video : null;
  useInStep(leader, follower, offsetS);
  const playback = usePlayback(leader);
  const place = playback.timeS + (leader === second.video ? offsetS : 0);
  const latest = useRef(0);
  useEffect(() => {
    latest.current = place;
    onTime(place);
  }, [place, onTime]);

  const placed: React.CSSProperties = shown
    ? {
        width: shown.widthPx,
        height: shown.heightPx,
        transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`,
      }
    : { visibility: 'hidden' };
  const hearsBefore = second.size === null || (isAfterSilent && first.size !== null);
  const isPlayable = leader !== null && shown !== null;
  return (
    <div className={classes.player}>
      <div
        ref={stage}
        className={viewer.stage}
        data-testid="player"
        data-comparing={isComparing || undefined}
        data-shown={shown !== null || undefined}
      >
        <div className={classes.layer}>
          {after && (
            <Layer
              {...second.props}
              media={after}
              label={t('viewer.after')}
              style={placed}
              isMuted={isMuted || hearsBefore}
              isPixelView={isPixelView}
              startS={() => Math.max(0, latest.current - offsetS)}
            />
          )}
        </div>
        <div
          className={classes.layer}
          style={isComparing ? { clipPath: `inset(0 ${(1 - share) * 100}% 0 0)` } : undefined}
        >
          {before && (
            <Layer
              {...first.props}
              media={before}
              label={t('viewer.before')}
              style={second.size && !first.size ? { visibility: 'hidden' } : placed}
              isMuted={isMuted || !hearsBefore}
              isPixelView={isPixelView}
              startS={() => latest.current}
            />
          )}
        </div>
        <div
          className={viewer.canvas}
          tabIndex={0}
          role="img"
          aria-label={t('player.stage')}
          {...viewport.handlers}
        />
        {!shown && <div className={viewer.message}>{empty}</div>}
        {isComparing && <Divider share={share} onShare={setShare} stage={stage} />}
        {shown && <ZoomBar viewport={viewport} isPixelView={isPixelView} onPixelView={setPixelView} />}
      </div>
      {isPlayable && <Controls video={leader} playback={playback} isMuted={isMuted} onMuted={setMuted} />}
    </div>
  );
}

/** The element of a medium, and its size once it is known. */
function useLayer(media: Media | null) {
  const key = media && `${media.kind} ${media.src}`;
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  const [known, setKnown] = useState<{ key: string | null; size: Size | null }>({ key: null, size: null });
  const onVideo = useCallback((element: HTMLVideoElement | null) => setVideo(element), []);
  return {
    video: media && media.kind !== 'picture' ? video : null,
    size: known.key === key ? known.size : null,
    props: {
      onVideo,
      onSize: (size: Size | null) => setKnown({ key, size }),
      onFailed: () => setKnown({ key, size: null }),
    },
  };
}
