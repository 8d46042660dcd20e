import { useCallback, useEffect, useRef, useState } from 'react';
import type { Size } from '../../imaging/geometry';
import { attach, type Media } from './media';
import classes from './Player.module.css';

interface Props {
  media: Media;
  label: string;
  /** Where it lies on the stage. */
  style: React.CSSProperties;
  isMuted: boolean;
  isPixelView: boolean;
  /** Where a film that replaces another one begins. */
  startS: () => number;
  onSize: (size: Size | null) => void;
  onFailed: () => void;
  onVideo: (video: HTMLVideoElement | null) => void;
}

/** One film or animated image. */
export function Layer(props: Props) {
  const { media, label, style, isMuted, isPixelView, startS, onSize, onFailed, onVideo } = props;
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  const ref = useCallback(
    (element: HTMLVideoElement | null) => {
      setVideo(element);
      onVideo(element);
    },
    [onVideo],
  );
  const start = useRef(startS);
  useEffect(() => {
    start.current = startS;
  });
  const { kind, src } = media;
  const latest = useRef(media);
  useEffect(() => {
    latest.current = media;
  });
  useEffect(() => (video ? attach(video, latest.current) : undefined), [video, kind, src]);
  // React sets this attribute only once.
  useEffect(() => {
    if (video) video.muted = isMuted;
  }, [video, isMuted]);
  const common = {
    style: { ...style, imageRendering: isPixelView ? ('pixelated' as const) : undefined },
    className: classes.media,
  };
  if (kind === 'picture') {
    return (
      <img
        {...common}
        src={src}
        alt={label}
        crossOrigin="anonymous"
        onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
          onSize({ widthPx: naturalWidth, heightPx: naturalHeight })
        }
        onError={onFailed}
      />
    );
  }
  return (
    <video
      {...common}
      ref={ref}
      aria-label={label}
      crossOrigin="anonymous"
      preload="auto"
      playsInline
      onLoadedMetadata={({ currentTarget }) => {
        onSize({ widthPx: currentTarget.videoWidth, heightPx: currentTarget.videoHeight });
        currentTarget.currentTime = start.current();
      }}
      onError={onFailed}
    />
  );
}
