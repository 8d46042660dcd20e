import { expect, test } from 'vitest';
import { inpaintTask } from '../../src/features/inpaint/task';
import { estimateFields, upscaleTask } from '../../src/features/upscale/task';
import { jobFields } from '../../src/processing/fields';
import { defineTask } from '../../src/processing/task';
import {
  type InpaintOptions,
  type TaskOptions,
  UNTURNED,
  type UpscaleOptions,
} from '../../src/processing/options';
import { OPTIONS } from '../options';

function fieldsOf<Options extends TaskOptions>(options: Options) {
  return jobFields([upscaleTask, inpaintTask], options);
}

const UPSCALE: UpscaleOptions = {
  task: 'upscale',
  model: 'm',
  target: { kind: 'size', widthPx: 100, heightPx: null },
  denoise: 0.3,
  detail: 0.6,
  format: 'webp',
  quality: 80,
  firstFrame: true,
};

test('an upscaling as the service expects it', () => {
  expect(fieldsOf(UPSCALE)).toEqual({
    task: 'upscale',
    model: 'm',
    width: 100,
    denoise: 0.3,
    detail: 0.6,
    format: 'webp',
    quality: 80,
    first_frame: true,
  });
  // The service refuses a quality for a format that has none.
  const lossless = fieldsOf({ ...UPSCALE, format: 'png', model: null, ...UNTURNED, firstFrame: false });
  expect(lossless).toEqual({ task: 'upscale', width: 100, format: 'png' });
});

test('an estimate takes the same fields without the task', () => {
  const { task: _task, ...fields } = fieldsOf(UPSCALE);
  expect(estimateFields(UPSCALE)).toEqual(fields);
});

test('an inpainting, and an upscaling after it', () => {
  const inpaint: InpaintOptions = {
    task: 'inpaint',
    model: null,
    maskGrowPx: 4,
    maskFeatherPx: 2,
    thenUpscale: null,
    format: 'png',
    quality: null,
    firstFrame: false,
  };
  const alone = { task: 'inpaint', mask_grow: 4, mask_feather: 2, format: 'png' };
  expect(fieldsOf(inpaint)).toEqual(alone);
  const thenUpscale = { model: 'up', target: { kind: 'scale', factor: 2 } as const, ...UNTURNED };
  expect(fieldsOf({ ...inpaint, thenUpscale })).toEqual({
    ...alone,
    then: 'upscale',
    upscale_model: 'up',
    scale: 2,
  });
});

test('the models that the options name', () => {
  expect(upscaleTask.modelsOf(UPSCALE)).toEqual(['m']);
  expect(upscaleTask.modelsOf({ ...UPSCALE, model: null })).toEqual([]);
});

test('a third task needs its own fields alone', () => {
  interface ToyOptions extends TaskOptions {
    strength: number;
  }
  const id = 'toy' as TaskOptions['task'];
  const toy = defineTask<ToyOptions>({
    id,
    fieldsOf: ({ strength }) => ({ strength }),
    modelsOf: ({ model }) => [model],
  });
  const options: ToyOptions = { ...OPTIONS, task: id, strength: 3 };
  expect(jobFields([upscaleTask, toy], options)).toEqual({ task: 'toy', format: 'png', strength: 3 });
});
