/** The settings of upscaling, which is a task of its own and a step that others can add. */

import { DENOISE, OUTPUT_FORMATS, type OutputFormat, QUALITY, SCALE } from '../api/constants';
import type { UpscaleOptions, Upscaling } from '../processing/options';
import type { RecipeForm } from './recipes';
import type { SettingsPart } from './settings';
import { isNullOr, isNumber, isOneOf, isText } from './valid';

export interface UpscalingSettings {
  sizing: 'scale' | 'size';
  factor: number;
  widthPx: number | null;
  heightPx: number | null;
  model: string | null;
  denoise: number;
  format: OutputFormat;
  /** null: the format's default. */
  quality: number | null;
}

const SIDE_PX = { min: 1, max: 1_000_000 };

export const upscalingSettings: SettingsPart<UpscalingSettings> = {
  defaults: {
    sizing: 'scale',
    factor: SCALE.default,
    widthPx: null,
    heightPx: null,
    model: null,
    denoise: 0,
    format: 'png',
    quality: null,
  },
  valid: {
    sizing: isOneOf('scale', 'size'),
    factor: isNumber(SCALE),
    widthPx: isNullOr(isNumber(SIDE_PX)),
    heightPx: isNullOr(isNumber(SIDE_PX)),
    model: isNullOr(isText),
    denoise: isNumber(DENOISE),
    format: isOneOf(...Object.keys(OUTPUT_FORMATS)),
    quality: isNullOr(isNumber(QUALITY)),
  },
};

export const upscalingRecipes: RecipeForm<UpscalingSettings> = {
  task: 'upscale',
  part: upscalingSettings,
  settings: {
    scale: 'factor',
    width: 'widthPx',
    height: 'heightPx',
    model: 'model',
    denoise: 'denoise',
    format: 'format',
    quality: 'quality',
  },
  sizing: (isExact) => ({ sizing: isExact ? 'size' : 'scale' }),
};

export function upscalingOf(settings: UpscalingSettings, hasDenoise: boolean): Upscaling {
  const { sizing, factor, widthPx, heightPx } = settings;
  const isExact = sizing === 'size' && (widthPx !== null || heightPx !== null);
  return {
    model: settings.model,
    target: isExact ? { kind: 'size', widthPx, heightPx } : { kind: 'scale', factor },
    denoise: hasDenoise ? settings.denoise : null,
  };
}

export function upscaleOptionsOf(settings: UpscalingSettings, hasDenoise: boolean): UpscaleOptions {
  return {
    task: 'upscale',
    ...upscalingOf(settings, hasDenoise),
    format: settings.format,
    quality: settings.quality,
    firstFrame: false,
  };
}
