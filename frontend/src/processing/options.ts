/** What is asked of a processor. A task extends `TaskOptions` by its own fields. */

import { DENOISE, DETAIL, type OutputFormat, type TaskId } from '../api/constants';

export interface TaskOptions {
  task: TaskId;
  /** A model's id; null for the default one. */
  model: string | null;
  format: OutputFormat;
  /** 1 to 100 for a lossy format; null for the format's default. */
  quality: number | null;
  /** Take the first frame of an animation or of a file of several pages, instead of refusing it. */
  firstFrame: boolean;
}

/** `scale`: a factor from 1 to 8. `size`: exact pixels; a side that is null follows from the other. */
export type TargetSize =
  { kind: 'scale'; factor: number } | { kind: 'size'; widthPx: number | null; heightPx: number | null };

/** How much of other networks is mixed into a model: each 0 to 1 for models that have it, null if it is not turned. */
export interface Dials {
  denoise: number | null;
  /** From what `denoise` makes to the network that draws crisp detail. */
  detail: number | null;
}

export type Dial = keyof Dials;

/** In the order in which their networks are mixed in. */
export const DIALS: readonly Dial[] = ['denoise', 'detail'];

export const DIAL_BOUNDS = { denoise: DENOISE, detail: DETAIL } as const;

export const UNTURNED: Dials = { denoise: null, detail: null };

/** What upscaling takes, by itself or after another task. */
export interface Upscaling extends Dials {
  model: string | null;
  target: TargetSize;
}

export interface UpscaleOptions extends TaskOptions, Upscaling {
  task: 'upscale';
}

export interface InpaintOptions extends TaskOptions {
  task: 'inpaint';
  /** How far beyond the mask is filled as well: 0 to 256 px of the image. */
  maskGrowPx: number;
  /** Width of the soft edge, at most `maskGrowPx`. */
  maskFeatherPx: number;
  /** Upscale the result in the same job. */
  thenUpscale: Upscaling | null;
}
