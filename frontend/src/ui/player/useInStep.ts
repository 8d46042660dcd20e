import { useEffect } from 'react';
import { correction } from './step';

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
    meet();
    // The one that was playing alone until now takes the other one along.
    if (!leader.paused) play();
    else if (!follower.paused) void leader.play().catch(hold);
    return () => {
      for (const [name, listener] of listeners) leader.removeEventListener(name, listener);
      follower.removeEventListener('loadedmetadata', meet);
    };
  }, [leader, follower, offsetS]);
}
