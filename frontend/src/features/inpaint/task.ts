import type { FormFields } from '../../api/client';
import { upscalingFields } from '../../processing/fields';
import type { InpaintOptions } from '../../processing/options';
import { defineTask } from '../../processing/task';

export const inpaintTask = defineTask<InpaintOptions>({
  id: 'inpaint',
  fieldsOf: ({ maskGrowPx, maskFeatherPx, thenUpscale }) => {
    const fields: FormFields = { mask_grow: maskGrowPx, mask_feather: maskFeatherPx };
    if (thenUpscale === null) return fields;
    if (thenUpscale.model !== null) fields.upscale_model = thenUpscale.model;
    return { ...fields, then: 'upscale', ...upscalingFields(thenUpscale) };
  },
  modelsOf: ({ model, thenUpscale }) => [model, thenUpscale?.model ?? null],
});
