import { UNTURNED, type UpscaleOptions } from '../src/processing/options';

/** Twice the size, as PNG, with the default model. */
export const OPTIONS: UpscaleOptions = {
  task: 'upscale',
  model: null,
  target: { kind: 'scale', factor: 2 },
  ...UNTURNED,
  format: 'png',
  quality: null,
  firstFrame: false,
};
