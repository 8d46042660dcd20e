import { expect, test } from 'vitest';
import { FEATURES, featureOf, takerOf, TASK_FEATURES } from '../../src/app/features';
import { TASKS } from '../../src/api/constants';
import { en } from '../../src/i18n/en';

test('every task of the service has a section', () => {
  expect(TASK_FEATURES.map(({ id }) => id)).toEqual([...TASKS]);
  for (const { id, task } of TASK_FEATURES) expect(task?.id ?? id).toBe(id);
});

test('addresses that people may have kept still lead to their sections', () => {
  expect(['upscale', 'erase', 'films', 'system'].map((fragment) => featureOf(fragment).id)).toEqual([
    'upscale',
    'inpaint',
    'upscale-video',
    'system',
  ]);
  expect(featureOf('').id).toBe('upscale');
});

test('a section without a task leaves files to the first task', () => {
  expect(FEATURES.map((feature) => takerOf(feature).id)).toEqual([
    'upscale',
    'inpaint',
    'upscale-video',
    'upscale',
  ]);
});

test('titles and shortcuts of all sections have texts', () => {
  const texts: Record<string, unknown> = en.shortcuts;
  const names = FEATURES.flatMap(({ shortcuts }) => shortcuts.map(([name]) => name));
  expect(names.filter((name) => !(name in texts))).toEqual([]);
  const titles: Record<string, unknown> = en.app;
  expect(FEATURES.filter(({ titleKey }) => !(titleKey.replace('app.', '') in titles))).toEqual([]);
});
