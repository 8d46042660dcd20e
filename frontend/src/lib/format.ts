import type { TFunction } from 'i18next';

/** For example 12 s, 3 min, 2 h. */
export function formatSeconds(seconds: number, t: TFunction): string {
  if (seconds < 10) return t('units.s', { count: Math.max(0.1, Math.round(seconds * 10) / 10) });
  if (seconds < 90) return t('units.s', { count: Math.round(seconds) });
  if (seconds < 5400) return t('units.min', { count: Math.round(seconds / 60) });
  return t('units.h', { count: Math.round(seconds / 360) / 10 });
}

/** A place in a film, for example 0:07 or 1:02:03. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = value >= 100 || unit === 0 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}
