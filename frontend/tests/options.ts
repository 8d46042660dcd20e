import type { UpscaleOptions } from '../src/processing/processor';

/** Twice the size, as PNG, by whatever model the service chooses. */
export const OPTIONS: UpscaleOptions = {
  task: 'upscale',
  model: null,
  target: { kind: 'scale', factor: 2 },
  denoise: null,
  format: 'png',
  quality: null,
  firstFrame: false,
};
