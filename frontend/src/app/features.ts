/** The sections of the app, in the order of its tabs. A new task is one folder in `features/` and one entry here. */

import { filmsFeature } from '../features/films';
import { inpaintFeature } from '../features/inpaint';
import { systemFeature } from '../features/system';
import { upscaleFeature } from '../features/upscale';
import type { Feature, TaskFeature } from '../state/feature';

export const TASK_FEATURES: readonly TaskFeature[] = [upscaleFeature, inpaintFeature, filmsFeature];

export const FEATURES: readonly Feature[] = [...TASK_FEATURES, systemFeature];

/** Takes images while a section without a task is shown. */
const MAIN_FEATURE: TaskFeature = upscaleFeature;

/** The section that an address shows. */
export function featureOf(fragment: string): Feature {
  return FEATURES.find((feature) => feature.fragment === fragment) ?? MAIN_FEATURE;
}

/** The task that takes images while a section is shown. */
export function takerOf(shown: Feature): TaskFeature {
  return TASK_FEATURES.find((feature) => feature.id === shown.id) ?? MAIN_FEATURE;
}
