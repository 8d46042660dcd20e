import { ActionIcon, Slider, Tooltip } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconVolume, IconVolumeOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { formatClock } from '../../lib/format';
import { useShortcuts } from '../useShortcuts';
import classes from './Player.module.css';
import type { Playback } from './usePlayback';

const FRAME_S = 0.04;
const STEPS_S: Readonly<Record<string, number | undefined>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
};

interface Props {
  video: HTMLVideoElement | null;
  playback: Playback;
  isMuted: boolean;
  onMuted: (isMuted: boolean) => void;
}

/** Plays, stops and moves a film. */
export function Controls({ video, playback, isMuted, onMuted }: Props) {
  const { t } = useTranslation();
  const { isPaused, timeS, endS } = playback;
  const toggle = () => {
    if (!video) return;
    if (video.paused) void video.play().catch(() => undefined);
    else video.pause();
  };
  const move = (byS: number) => {
    if (video) video.currentTime = Math.max(0, Math.min(endS, video.currentTime + byS));
  };
  /** The slider's own step is made for the pointer: too small for keys. */
  const onKeyDown = (event: React.KeyboardEvent) => {
    const byS = STEPS_S[event.key];
    if (byS === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(byS);
  };
  useShortcuts({
    p: toggle,
    ',': () => move(-FRAME_S),
    '.': () => move(FRAME_S),
    m: () => onMuted(!isMuted),
  });
  const play = t(isPaused ? 'player.play' : 'player.pause');
  const sound = t(isMuted ? 'player.soundOn' : 'player.soundOff');
  return (
    <div className={classes.controls}>
      <Tooltip label={play}>
        <ActionIcon
          size={40}
          variant="light"
          color="mend"
          aria-label={play}
          disabled={!video}
          onClick={toggle}
        >
          {isPaused ? (
            <IconPlayerPlay size={20} stroke={1.75} />
          ) : (
            <IconPlayerPause size={20} stroke={1.75} />
          )}
        </ActionIcon>
      </Tooltip>
      <div className={classes.time} onKeyDownCapture={onKeyDown}>
        <Slider
          thumbLabel={t('player.place')}
          label={formatClock}
          disabled={!video || endS === 0}
          min={0}
          max={Math.max(endS, 0.01)}
          step={0.01}
          value={Math.min(timeS, endS)}
          onChange={(value) => {
            if (video) video.currentTime = value;
          }}
        />
      </div>
      <span className={`pm-number ${classes.clock}`} data-testid="clock">
        {formatClock(timeS)} / {formatClock(endS)}
      </span>
      <Tooltip label={sound}>
        <ActionIcon size={36} aria-label={sound} aria-pressed={isMuted} onClick={() => onMuted(!isMuted)}>
          {isMuted ? <IconVolumeOff size={19} stroke={1.75} /> : <IconVolume size={19} stroke={1.75} />}
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
