/** The tasks that this browser can compute. The service may have more. */

import { ProcessError } from '../../../lib/errors';
import type { InpaintOptions, TaskOptions, UpscaleOptions } from '../../options';
import type { Work } from './browserTask';
import { inpaintTask } from './inpaint';
import { upscaleTask } from './upscale';

const PREPARE: Partial<Record<string, (options: TaskOptions) => Work>> = {
  upscale: (options) => upscaleTask.prepare(options as UpscaleOptions),
  inpaint: (options) => inpaintTask.prepare(options as InpaintOptions),
};

/** Raises ProcessError if this browser cannot do the work. */
export function prepareWork(options: TaskOptions): Work {
  const prepare = PREPARE[options.task];
  if (prepare) return prepare(options);
  throw new ProcessError('model-unavailable', `this browser has no model for ${options.task}`);
}
