import { expect, test } from 'vitest';
import { inpaintSettings } from '../../src/features/inpaint/settings';
import {
  generalSettings,
  readSettings,
  settingsPart,
  settingsReducer,
  valuesOf,
} from '../../src/state/settings';
import { type Dial, UNTURNED } from '../../src/processing/options';
import type { ProcessorModel } from '../../src/processing/processor';
import { dialsOf, upscalingOf, upscalingSettings, type UpscalingSettings } from '../../src/state/upscaling';

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
  expect(upscalingOf({ ...settings, sizing: 'size' }, []).target).toEqual({ kind: 'scale', factor: 4 });
  expect(upscalingOf({ ...settings, sizing: 'size', widthPx: 10 }, ['denoise'])).toEqual({
    model: null,
    target: { kind: 'size', widthPx: 10, heightPx: null },
    ...UNTURNED,
  });
});

test('a dial is sent if the model has it, and at 0 if the model is named', () => {
  const sent = (changes: Partial<UpscalingSettings>, dials: readonly Dial[] = ['denoise', 'detail']) => {
    const { denoise, detail } = upscalingOf({ ...upscalingSettings.defaults, ...changes }, dials);
    return [denoise, detail];
  };
  expect(sent({})).toEqual([null, null]);
  expect(sent({ detail: 0.5 })).toEqual([null, 0.5]);
  expect(sent({ detail: 0.5 }, ['denoise'])).toEqual([null, null]);
  expect(sent({ model: 'm', denoise: 0.2 })).toEqual([0.2, 0]);
});

test('the dials are those of the model that is named, or of the standard one', () => {
  const models: ProcessorModel[] = [
    { id: 'a', title: '', task: 'upscale', scale: 4, dials: ['detail'] },
    { id: 'b', title: '', task: 'upscale', scale: 4, dials: [] },
  ];
  expect(dialsOf(null, models, 'a')).toEqual(['detail']);
  expect(dialsOf('b', models, 'a')).toEqual([]);
  expect(dialsOf('gone', models, 'a')).toEqual([]);
});
