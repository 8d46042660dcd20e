import { expect, test } from 'vitest';
import { inpaintSettings } from '../../src/features/inpaint/settings';
import {
  generalSettings,
  readSettings,
  settingsPart,
  settingsReducer,
  valuesOf,
} from '../../src/state/settings';
import { upscalingOf, upscalingSettings } from '../../src/state/upscaling';

const PARTS = [settingsPart(generalSettings), settingsPart(upscalingSettings), settingsPart(inpaintSettings)];
const DEFAULTS = { ...generalSettings.defaults, ...upscalingSettings.defaults, ...inpaintSettings.defaults };

test('stored values are read one by one: an unusable one does not spoil the others', () => {
  const stored = { factor: 99, format: 'webp', quality: 70, language: 'fr', brushPx: '4', unknown: 1 };
  expect(readSettings(PARTS, JSON.stringify(stored))).toEqual({ ...DEFAULTS, format: 'webp', quality: 70 });
});

test.each([null, '', '{', 'null', '5', '"x"'])('unusable storage gives the defaults: %s', (stored) => {
  expect(readSettings(PARTS, stored)).toEqual(DEFAULTS);
});

test('the soft edge never exceeds the margin, which the service would refuse', () => {
  const reduce = settingsReducer(PARTS);
  const state = reduce(
    { ...DEFAULTS, maskGrowPx: 8, maskFeatherPx: 8 },
    { type: 'set', changes: { maskGrowPx: 3 } },
  );
  expect(valuesOf(state, inpaintSettings)).toMatchObject({ maskGrowPx: 3, maskFeatherPx: 3 });
  expect(readSettings(PARTS, '{"maskGrowPx":1}').maskFeatherPx).toBe(1);
});

test('an exact size without any side is the factor', () => {
  const settings = upscalingSettings.defaults;
  expect(upscalingOf({ ...settings, sizing: 'size' }, false).target).toEqual({ kind: 'scale', factor: 4 });
  expect(upscalingOf({ ...settings, sizing: 'size', widthPx: 10 }, true)).toEqual({
    model: null,
    target: { kind: 'size', widthPx: 10, heightPx: null },
    denoise: 0,
  });
});

test('noise is not removed by default, as by the service', () => {
  expect(upscalingSettings.defaults.denoise).toBe(0);
});
