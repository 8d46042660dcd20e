/** The settings of upscaling, which is a task of its own and a step that others can add. */

import { DENOISE, DETAIL, OUTPUT_FORMATS, type OutputFormat, QUALITY, SCALE } from '../api/constants';
import type { Dial, Dials, UpscaleOptions, Upscaling } from '../processing/options';
import type { ProcessorModel } from '../processing/processor';
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
  detail: number;
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
    detail: 0,
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
    detail: isNumber(DETAIL),
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
    detail: 'detail',
    format: 'format',
    quality: 'quality',
  },
  sizing: (isExact) => ({ sizing: isExact ? 'size' : 'scale' }),
};

/** The dials of the model that is named, or of the standard one. */
export function dialsOf(
  model: string | null,
  models: readonly ProcessorModel[],
  standard: string | null,
): readonly Dial[] {
  return models.find(({ id }) => id === (model ?? standard))?.dials ?? [];
}

/**
 * `dials`: those that the model has. Without a named model the service chooses one by the size, and a dial names
 * the one that has it; so at 0 it is not sent. A named model may be another than its own at 0.
 */
export function turned(values: Record<Dial, number>, dials: readonly Dial[], model: string | null): Dials {
  const sent = (dial: Dial) =>
    dials.includes(dial) && (model !== null || values[dial] > 0) ? values[dial] : null;
  return { denoise: sent('denoise'), detail: sent('detail') };
}

/** `dials`: those that the model has. */
export function upscalingOf(settings: UpscalingSettings, dials: readonly Dial[]): Upscaling {
  const { sizing, factor, widthPx, heightPx, model } = settings;
  const isExact = sizing === 'size' && (widthPx !== null || heightPx !== null);
  return {
    model,
    target: isExact ? { kind: 'size', widthPx, heightPx } : { kind: 'scale', factor },
    ...turned(settings, dials, model),
  };
}

export function upscaleOptionsOf(settings: UpscalingSettings, dials: readonly Dial[]): UpscaleOptions {
  return {
    task: 'upscale',
    ...upscalingOf(settings, dials),
    format: settings.format,
    quality: settings.quality,
    firstFrame: false,
  };
}
