import { expect, test } from 'vitest';
import type { ManagedSetting } from '../../../src/api/client';
import { changesOf, inOrder, rangeProblem } from '../../../src/features/system/management';
import { EMPTY, profileBody } from '../../../src/features/system/profileDraft';

const number = (value: number, minimum: number, maximum: number | null, minimum_excluded = false) =>
  ({
    value,
    configured: value,
    unit: null,
    description: '',
    range: { minimum, maximum, minimum_excluded },
  }) as const;
const settings: Record<string, ManagedSetting> = {
  later: number(1, 0, null),
  memory_monitoring_interval: number(2, 0.1, 3600),
  cleanup_threshold_percent: number(85, 0, 100, true),
  auto_cleanup_enabled: { value: true, configured: true, unit: null, description: '', range: null },
};

test('a number out of its range is refused in words that name the limits', () => {
  const threshold = number(85, 0, 100, true);
  expect(rangeProblem(threshold, 0)).toEqual({
    key: 'system.range.aboveTo',
    values: { minimum: 0, maximum: 100 },
  });
  expect(rangeProblem(threshold, 100.5)?.key).toBe('system.range.aboveTo');
  for (const good of [0.1, 50, 100]) expect(rangeProblem(threshold, good)).toBeNull();
  expect(rangeProblem(number(2, 0.1, 3600), 0.1)).toBeNull();
  expect(rangeProblem(number(2, 0.1, 3600), 0)?.key).toBe('system.range.atLeastTo');
  expect(rangeProblem(number(30, 0, null), -1)).toEqual({
    key: 'system.range.atLeast',
    values: { minimum: 0 },
  });
  for (const bad of ['', '5', Number.NaN, true])
    expect(rangeProblem(number(30, 0, null), bad)).not.toBeNull();
});

test('only what differs is sent, and nothing as long as a value cannot be', () => {
  expect(changesOf(settings, {})).toBeNull();
  expect(changesOf(settings, { cleanup_threshold_percent: 85 })).toBeNull();
  expect(changesOf(settings, { cleanup_threshold_percent: 70, auto_cleanup_enabled: false })).toEqual({
    cleanup_threshold_percent: 70,
    auto_cleanup_enabled: false,
  });
  expect(changesOf(settings, { cleanup_threshold_percent: 70, memory_monitoring_interval: '' })).toBeNull();
  expect(changesOf(settings, { unknown: 3 })).toBeNull();
});

test('settings have their order, and new ones come last', () => {
  expect(inOrder(settings).map(([name]) => name)).toEqual([
    'auto_cleanup_enabled',
    'cleanup_threshold_percent',
    'memory_monitoring_interval',
    'later',
  ]);
});

test('a profile is made of the selected models, each with its place', () => {
  const draft = { ...EMPTY, name: 'night', placements: { b: { device: 'cuda:1', priority: 5 } } };
  expect(profileBody(draft, ['a', 'b'])).toEqual({
    models: ['a', 'b'],
    placements: { a: { device: null, priority: 0 }, b: { device: 'cuda:1', priority: 5 } },
    preload: false,
  });
  expect(profileBody(draft, [])).toBeNull();
  for (const name of ['', 'a b', '-a', 'x'.repeat(65)])
    expect(profileBody({ ...draft, name }, ['a'])).toBeNull();
  const unfinished = { ...draft, placements: { a: { device: '', priority: '' } } };
  expect(profileBody(unfinished, ['a'])).toBeNull();
});
