/** A profile that is being made from the selected models. */

import type { ProfileBody } from '../../api/client';

export interface Placement {
  /** Empty: wherever there is room. */
  device: string;
  /** A text while it is being rewritten. */
  priority: number | string;
}

export interface ProfileDraft {
  name: string;
  preload: boolean;
  placements: Readonly<Record<string, Placement>>;
}

export const EMPTY: ProfileDraft = { name: '', preload: false, placements: {} };
export const NO_PLACE: Placement = { device: '', priority: 0 };
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What the service takes; null as long as something is missing or cannot be. */
export function profileBody(draft: ProfileDraft, models: readonly string[]): ProfileBody | null {
  if (!NAME.test(draft.name) || models.length === 0) return null;
  const placements: NonNullable<ProfileBody['placements']> = {};
  for (const model of models) {
    const { device, priority } = draft.placements[model] ?? NO_PLACE;
    if (!Number.isInteger(priority)) return null;
    placements[model] = { device: device || null, priority: Number(priority) };
  }
  return { models: [...models], placements, preload: draft.preload };
}
