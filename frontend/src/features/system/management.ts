/** What an operator has typed into the settings of memory, and whether the service would take it. */

import type { ManagedSetting } from '../../api/client';

export type Value = boolean | number;
/** Empty text is what a number field holds while it is being rewritten. */
export type Draft = Readonly<Record<string, Value | string>>;

/** In the order in which they are shown; others that a later service has come after them. */
export const ORDER = [
  'auto_cleanup_enabled',
  'cleanup_threshold_percent',
  'idle_timeout_minutes',
  'max_memory_usage_percent',
  'memory_monitoring_enabled',
  'memory_monitoring_interval',
] as const;

export function inOrder(settings: Readonly<Record<string, ManagedSetting>>): [string, ManagedSetting][] {
  const rank = (name: string) => {
    const index = (ORDER as readonly string[]).indexOf(name);
    return index < 0 ? ORDER.length : index;
  };
  return Object.entries(settings).sort(([a], [b]) => rank(a) - rank(b));
}

/** The key of the text that says what is wrong with a value, with the limits in it; null if nothing is. */
export function rangeProblem(
  setting: ManagedSetting,
  value: Value | string,
): { key: string; values: Record<string, number> } | null {
  const range = setting.range;
  if (range === null) return null;
  const minimum = range.minimum ?? Number.NEGATIVE_INFINITY;
  const maximum = range.maximum ?? Number.POSITIVE_INFINITY;
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  const isEnough = isNumber && (range.minimum_excluded ? value > minimum : value >= minimum);
  if (isEnough && value <= maximum) return null;
  const lower = range.minimum_excluded ? 'above' : 'atLeast';
  if (range.maximum === null) return { key: `system.range.${lower}`, values: { minimum } };
  return { key: `system.range.${lower}To`, values: { minimum, maximum } };
}

/** What differs from the service's own values, if all of it can be sent; null if there is nothing to send. */
export function changesOf(
  settings: Readonly<Record<string, ManagedSetting>>,
  draft: Draft,
): Record<string, Value> | null {
  const changes: Record<string, Value> = {};
  for (const [name, value] of Object.entries(draft)) {
    const setting = settings[name];
    if (!setting || value === setting.value) continue;
    if (typeof value === 'string' || rangeProblem(setting, value)) return null;
    changes[name] = value;
  }
  return Object.keys(changes).length > 0 ? changes : null;
}
