/** What the app remembers of its user. */

import type { ModePreference } from '../processing/automatic';
import type { Enlargement, OutputFormat, UpscaleOptions } from '../processing/processor';

export type Language = 'en' | 'zh';

export interface Settings {
  sizing: 'scale' | 'size';
  factor: number;
  widthPx: number | null;
  heightPx: number | null;
  model: string | null;
  denoise: number;
  format: OutputFormat;
  /** null: the format's default. */
  quality: number | null;
  preference: ModePreference;
  language: Language | null;
  apiKey: string;
  brushPx: number;
  maskGrowPx: number;
  maskFeatherPx: number;
}

export type SettingsAction = { type: 'set'; changes: Partial<Settings> };

export const DEFAULT_SETTINGS: Settings = {
  sizing: 'scale',
  factor: 4,
  widthPx: null,
  heightPx: null,
  model: null,
  denoise: 0,
  format: 'png',
  quality: null,
  preference: 'auto',
  language: null,
  apiKey: '',
  brushPx: 40,
  maskGrowPx: 4,
  maskFeatherPx: 2,
};

const FORMATS: readonly unknown[] = ['png', 'jpeg', 'webp', 'avif', 'tiff'];
const isNumber = (least: number, most: number) => (value: unknown) =>
  typeof value === 'number' && value >= least && value <= most;
const isNullOr = (test: (value: unknown) => boolean) => (value: unknown) => value === null || test(value);
const isOneOf =
  (...allowed: unknown[]) =>
  (value: unknown) =>
    allowed.includes(value);
const isText = (value: unknown) => typeof value === 'string' && value.length <= 500;

const VALID: { [Name in keyof Settings]: (value: unknown) => boolean } = {
  sizing: isOneOf('scale', 'size'),
  factor: isNumber(1, 8),
  widthPx: isNullOr(isNumber(1, 1_000_000)),
  heightPx: isNullOr(isNumber(1, 1_000_000)),
  model: isNullOr(isText),
  denoise: isNumber(0, 1),
  format: (value) => FORMATS.includes(value),
  quality: isNullOr(isNumber(1, 100)),
  preference: isOneOf('auto', 'server', 'browser'),
  language: isOneOf('en', 'zh', null),
  apiKey: isText,
  brushPx: isNumber(1, 2000),
  maskGrowPx: isNumber(0, 256),
  maskFeatherPx: isNumber(0, 256),
};

export function reduceSettings(state: Settings, action: SettingsAction): Settings {
  const next = { ...state, ...action.changes };
  // The service refuses a soft edge that reaches into what is kept.
  return { ...next, maskFeatherPx: Math.min(next.maskFeatherPx, next.maskGrowPx) };
}

/** From what was stored, by this version or another: each value on its own, where it can be used. */
export function readSettings(stored: string | null): Settings {
  const given = parseObject(stored ?? '{}');
  const names = Object.keys(VALID) as (keyof Settings)[];
  const taken = names.filter((name) => name in given && VALID[name](given[name]));
  return reduceSettings(DEFAULT_SETTINGS, {
    type: 'set',
    changes: Object.fromEntries(taken.map((name) => [name, given[name]])),
  });
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function enlargementOf(settings: Settings, hasDenoise: boolean): Enlargement {
  const { sizing, factor, widthPx, heightPx } = settings;
  const isExact = sizing === 'size' && (widthPx !== null || heightPx !== null);
  return {
    model: settings.model,
    target: isExact ? { kind: 'size', widthPx, heightPx } : { kind: 'scale', factor },
    denoise: hasDenoise ? settings.denoise : null,
  };
}

export function upscaleOptionsOf(settings: Settings, hasDenoise: boolean): UpscaleOptions {
  return {
    task: 'upscale',
    ...enlargementOf(settings, hasDenoise),
    format: settings.format,
    quality: settings.quality,
    firstFrame: false,
  };
}
