import { expect, test } from 'vitest';
import { ProcessError } from '../../src/processing/processor';
import { DEFAULT_SETTINGS, enlargementOf, readSettings, reduceSettings } from '../../src/state/settings';
import { modeOf, reduceStatus } from '../../src/state/status';

test('what was stored is taken value by value: one that cannot be does not spoil the others', () => {
  const stored = { factor: 99, format: 'webp', quality: 70, language: 'fr', brushPx: '4', unknown: 1 };
  expect(readSettings(JSON.stringify(stored))).toEqual({ ...DEFAULT_SETTINGS, format: 'webp', quality: 70 });
});

test.each([null, '', '{', 'null', '5', '"x"'])('unusable storage gives the defaults: %s', (stored) => {
  expect(readSettings(stored)).toEqual(DEFAULT_SETTINGS);
});

test('the soft edge never exceeds the margin, which the service would refuse', () => {
  const state = reduceSettings(
    { ...DEFAULT_SETTINGS, maskGrowPx: 8, maskFeatherPx: 8 },
    { type: 'set', changes: { maskGrowPx: 3 } },
  );
  expect(state.maskFeatherPx).toBe(3);
});

test('an exact size without any side is the factor', () => {
  expect(enlargementOf({ ...DEFAULT_SETTINGS, sizing: 'size' }, false).target).toEqual({
    kind: 'scale',
    factor: 4,
  });
  expect(enlargementOf({ ...DEFAULT_SETTINGS, sizing: 'size', widthPx: 10 }, true)).toEqual({
    model: null,
    target: { kind: 'size', widthPx: 10, heightPx: null },
    denoise: 0,
  });
});

test('noise is left alone at first, as the service does without being asked', () => {
  expect(DEFAULT_SETTINGS.denoise).toBe(0);
});

test('the mode follows the service, unless the user chose', () => {
  const able = { available: true } as Parameters<typeof modeOf>[2];
  const unable = { available: false } as Parameters<typeof modeOf>[2];
  const down = reduceStatus({ state: 'ready' }, { type: 'failed', error: new ProcessError('busy', 'full') });
  expect(down).toEqual({ state: 'busy', detail: 'full' });
  expect(modeOf('auto', { state: 'ready' }, able)).toBe('server');
  expect(modeOf('auto', down, able)).toBe('browser');
  expect(modeOf('auto', down, unable)).toBe('none');
  expect(modeOf('server', down, able)).toBe('none');
  expect(modeOf('browser', { state: 'ready' }, able)).toBe('browser');
  expect(modeOf('auto', reduceStatus(down, { type: 'ready' }), able)).toBe('server');
});
