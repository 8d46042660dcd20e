import { useEffect, useState } from 'react';

export interface Playback {
  isPaused: boolean;
  timeS: number;
  /** How far it can be played now. */
  endS: number;
}

/** No frame of a film is shown for longer, usually. */
const FRAME_S = 0.1;
const STOPPED: Playback = { isPaused: true, timeS: 0, endS: 0 };
const EVENTS = ['play', 'pause', 'timeupdate', 'seeked', 'durationchange', 'progress', 'ended', 'emptied'];

/** Where a film is: at the beginning of the frame that is seen. */
export function usePlayback(video: HTMLVideoElement | null): Playback {
  const [state, setState] = useState<Playback>(STOPPED);
  useEffect(() => {
    if (!video) return;
    // When the frame that is seen begins; the place moves on while it is shown.
    let seenS = -1;
    const read = () => {
      const since = video.currentTime - seenS;
      const timeS = since >= 0 && since < FRAME_S ? seenS : video.currentTime;
      setState({ isPaused: video.paused, timeS, endS: endOf(video) });
    };
    const onFrame: VideoFrameRequestCallback = (_now, { mediaTime }) => {
      seenS = mediaTime;
      if (video.paused) read();
      frame = video.requestVideoFrameCallback(onFrame);
    };
    let frame = video.requestVideoFrameCallback(onFrame);
    for (const name of EVENTS) video.addEventListener(name, read);
    read();
    return () => {
      video.cancelVideoFrameCallback(frame);
      for (const name of EVENTS) video.removeEventListener(name, read);
    };
  }, [video]);
  return video ? state : STOPPED;
}

function endOf({ duration, seekable }: HTMLVideoElement): number {
  if (Number.isFinite(duration)) return duration;
  return seekable.length > 0 ? seekable.end(seekable.length - 1) : 0;
}
