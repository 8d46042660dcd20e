/** How one film follows another one. */

export interface Correction {
  /** Jump to the place, since it is too far away to be caught up with. */
  jumps: boolean;
  /** The rate at which to play, of the other one's. */
  rate: number;
}

/** Two films that are further apart than this are brought together at once. */
export const JUMP_S = 0.5;
const UNSEEN_S = 0.02;
/** So much of the distance is made up for in a second. */
const PULL = 0.5;
const MOST_CHANGE = 0.15;

/** behindS: how far it is behind; negative: ahead. */
export function correction(behindS: number): Correction {
  const distance = Math.abs(behindS);
  if (distance > JUMP_S) return { jumps: true, rate: 1 };
  if (distance < UNSEEN_S) return { jumps: false, rate: 1 };
  const change = Math.max(-MOST_CHANGE, Math.min(MOST_CHANGE, behindS * PULL));
  return { jumps: false, rate: 1 + change };
}
