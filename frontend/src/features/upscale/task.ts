import { commonFields, upscalingFields } from '../../processing/fields';
import type { UpscaleOptions } from '../../processing/options';
import { defineTask } from '../../processing/task';

export const upscaleTask = defineTask<UpscaleOptions>({
  id: 'upscale',
  fieldsOf: upscalingFields,
  modelsOf: ({ model }) => [model],
});

/** The fields of `POST /api/estimate`, beside the size of the image. */
export function estimateFields(options: UpscaleOptions) {
  return { ...commonFields(options), ...upscalingFields(options) };
}
