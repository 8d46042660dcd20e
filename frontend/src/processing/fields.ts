/** The text fields of `POST /api/jobs` and of an estimate. */

import type { FormFields } from '../api/client';
import { OUTPUT_FORMATS, type OutputFormat } from '../api/constants';
import type { TargetSize, TaskOptions, Upscaling } from './options';
import { taskOf, type Task } from './task';

export function isLossy(format: OutputFormat): boolean {
  return OUTPUT_FORMATS[format].defaultQuality !== null;
}

export function jobFields(tasks: readonly Task[], options: TaskOptions): FormFields {
  const task = taskOf(tasks, options);
  return { task: task.id, ...commonFields(options), ...task.fieldsOf(options) };
}

/** The fields that every task has. */
export function commonFields({ format, quality, firstFrame, model }: TaskOptions): FormFields {
  const fields: FormFields = { format };
  // The service refuses a quality for a format that has none.
  if (quality !== null && isLossy(format)) fields.quality = quality;
  if (firstFrame) fields.first_frame = true;
  if (model !== null) fields.model = model;
  return fields;
}

/** The fields of an upscaling except its model, whose name differs between tasks. */
export function upscalingFields({ target, denoise, detail }: Upscaling): FormFields {
  const fields = targetFields(target);
  if (denoise !== null) fields.denoise = denoise;
  if (detail !== null) fields.detail = detail;
  return fields;
}

function targetFields(target: TargetSize): FormFields {
  if (target.kind === 'scale') return { scale: target.factor };
  const fields: FormFields = {};
  if (target.widthPx !== null) fields.width = target.widthPx;
  if (target.heightPx !== null) fields.height = target.heightPx;
  return fields;
}
