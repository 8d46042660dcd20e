/**
 * What the app remembers about its user. Settings come in parts: each task brings its own, and all parts are stored
 * together as one flat object.
 */

import type { Language } from '../i18n';
import type { ModePreference } from '../processing/automatic';
import { isOneOf, isText } from './valid';

export interface SettingsPart<Values extends object> {
  defaults: Values;
  /** Which stored values can be used; others are replaced by the default. */
  valid: { [Name in keyof Values]: (value: unknown) => boolean };
  /** Restores what must hold between the values after each change. */
  adjust?: (values: Values) => Partial<Values>;
}

/** Values of all parts. Read one part of them by `valuesOf`. */
export type Settings = Readonly<Record<string, unknown>>;

export interface SettingsAction {
  type: 'set';
  changes: object;
}

export type AnyPart = SettingsPart<never>;

/** A part, for a list of parts whose values differ. */
export function settingsPart<Values extends object>(part: SettingsPart<Values>): AnyPart {
  return part as unknown as AnyPart;
}

export function valuesOf<Values extends object>(settings: Settings, part: SettingsPart<Values>): Values {
  const names = Object.keys(part.defaults);
  return Object.fromEntries(names.map((name) => [name, settings[name]])) as Values;
}

/** Language, API key, and what computes. */
export interface GeneralSettings {
  preference: ModePreference;
  /** null: what the browser asks for. */
  language: Language | null;
  apiKey: string;
}

export const generalSettings: SettingsPart<GeneralSettings> = {
  defaults: { preference: 'auto', language: null, apiKey: '' },
  valid: {
    preference: isOneOf('auto', 'server', 'browser'),
    language: isOneOf('en', 'zh', null),
    apiKey: isText,
  },
};

export function settingsReducer(parts: readonly AnyPart[]) {
  return (state: Settings, action: SettingsAction): Settings =>
    parts.reduce((now, part) => adjusted(now, part), { ...state, ...action.changes });
}

/** From what this version or another one stored. Each value is judged by itself. */
export function readSettings(parts: readonly AnyPart[], stored: string | null): Settings {
  const given = parseObject(stored ?? '{}');
  const settings = Object.fromEntries(
    parts.flatMap(({ defaults, valid }) => {
      const isValid = valid as Record<string, (value: unknown) => boolean>;
      return Object.entries(defaults as object).map(([name, value]: [string, unknown]) => [
        name,
        name in given && isValid[name]?.(given[name]) ? given[name] : value,
      ]);
    }),
  ) as Settings;
  return parts.reduce((now, part) => adjusted(now, part), settings);
}

function adjusted(settings: Settings, part: AnyPart): Settings {
  if (!part.adjust) return settings;
  return { ...settings, ...(part.adjust(valuesOf(settings, part)) as object) };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
