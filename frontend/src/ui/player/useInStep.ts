import { useEffect } from 'react';
import { correction, JUMP_S } from './step';

/** Has a film follow another one: it plays, stops and moves with it. offsetS: how far it is ahead of the other. */
export function useInStep(
  leader: HTMLVideoElement | null,
  follower: HTMLVideoElement | null,
  offsetS: number,
): void {
  useEffect(() => {
    if (!leader || !follower) return;
    const meet = () => (follower.currentTime = leader.currentTime + offsetS);
    const play = () => void follower.play().catch(() => undefined);
    const hold = () => follower.pause();
    const stop = () => {
      hold();
      meet();
    };
    const keepUp = () => {
      if (leader.paused || leader.seeking || follower.seeking) return;
      const { jumps, rate } = correction(leader.currentTime + offsetS - follower.currentTime);
      if (jumps) meet();
      follower.playbackRate = leader.playbackRate * rate;
      if (follower.paused && leader.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) play();
    };
    // WebKitGTK does not say that it is waiting for more of a film. What follows would go on by itself.
    const waitFor = () => {
      if (leader.paused || leader.seeking || follower.seeking) return;
      if (follower.currentTime - leader.currentTime - offsetS > JUMP_S) stop();
    };
    const listeners: [string, () => void][] = [
      ['play', play],
      ['playing', play],
      ['waiting', hold],
      ['pause', stop],
      ['ended', stop],
      ['seeking', meet],
      ['timeupdate', keepUp],
    ];
    for (const [name, listener] of listeners) leader.addEventListener(name, listener);
    // Whichever is opened last is brought to where the other one is.
    follower.addEventListener('loadedmetadata', meet);
    follower.addEventListener('timeupdate', waitFor);
    meet();
    // The one that was playing alone until now takes the other one along.
    if (!leader.paused) play();
    else if (!follower.paused) void leader.play().catch(hold);
    return () => {
      for (const [name, listener] of listeners) leader.removeEventListener(name, listener);
      follower.removeEventListener('loadedmetadata', meet);
      follower.removeEventListener('timeupdate', waitFor);
    };
  }, [leader, follower, offsetS]);
}
