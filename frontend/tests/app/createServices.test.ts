import { afterEach, expect, test, vi } from 'vitest';
import { createServices } from '../../src/app/createServices';
import { TASK_FEATURES } from '../../src/app/features';
import { defineTask } from '../../src/processing/task';
import type { TaskFeature } from '../../src/state/feature';
import { settingsPart, valuesOf, type SettingsPart } from '../../src/state/settings';
import { isNumber } from '../../src/state/valid';

const ID = 'toy' as TaskFeature['id'];
const toySettings: SettingsPart<{ strength: number }> = {
  defaults: { strength: 3 },
  valid: { strength: isNumber({ min: 1, max: 5 }) },
};

/** A third kind of work, which nothing else in the app knows of. */
const toy: TaskFeature = {
  id: ID,
  fragment: 'toy',
  titleKey: 'app.toy',
  Icon: () => null,
  Screen: () => null,
  settings: [settingsPart(toySettings)],
  shortcuts: [],
  task: defineTask({ id: ID, fieldsOf: () => ({}), modelsOf: ({ model }) => [model] }),
  takesMany: false,
  take: ({ chosen }, [file]) => {
    if (file) chosen.dispatch({ task: ID, id: '1', file, fileName: file.name });
  },
};

function storage(stored: object): Storage {
  const values = new Map([['pixelmend-settings', JSON.stringify(stored)]]);
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
  } as Storage;
}

afterEach(() => void vi.unstubAllGlobals());

test('a third task needs one entry: its settings are kept, and it takes images', () => {
  const location = { hash: '#upscale' };
  vi.stubGlobal('window', { location });
  const kept = storage({ strength: 4, factor: 2, unknown: 1 });
  const services = createServices({ browserOnly: true, apiUrl: '' }, [...TASK_FEATURES, toy], kept);
  expect(services.tasks.map(({ id }) => id)).toEqual(['upscale', 'inpaint', 'toy']);
  expect(valuesOf(services.settings.get(), toySettings)).toEqual({ strength: 4 });

  services.settings.dispatch({ type: 'set', changes: { strength: 5 } });
  expect(JSON.parse(kept.getItem('pixelmend-settings') ?? '')).toMatchObject({ strength: 5, factor: 2 });

  services.openIn(ID, [new File(['x'], 'a.png')]);
  expect(location.hash).toBe('toy');
  expect(services.chosen.get()[ID]).toMatchObject({ fileName: 'a.png' });
});
