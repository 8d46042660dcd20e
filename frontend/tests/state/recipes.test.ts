import { expect, test } from 'vitest';
import { filmRecipes } from '../../src/features/films/settings';
import { fieldsWithoutControl, type Recipe, recipeOf, settingsOf } from '../../src/state/recipes';
import { upscaleOptionsOf, upscalingRecipes, upscalingSettings } from '../../src/state/upscaling';

function recipe(name: string, fields: Record<string, unknown>): Recipe {
  return { name, task: 'upscale', fields };
}

const WEB = recipe('web-2x', { scale: 2, format: 'webp', quality: 82 });
const POSTER = recipe('poster', { width: 6000, model: 'pixelmend-x4-clean', denoise: 0.6 });

test('a recipe says all options: what it does not name is as it is by default', () => {
  expect(settingsOf(upscalingRecipes, WEB)).toEqual({
    ...upscalingSettings.defaults,
    factor: 2,
    format: 'webp',
    quality: 82,
  });
  expect(upscaleOptionsOf(settingsOf(upscalingRecipes, POSTER), ['denoise'])).toMatchObject({
    target: { kind: 'size', widthPx: 6000, heightPx: null },
    model: 'pixelmend-x4-clean',
    denoise: 0.6,
    format: 'png',
  });
});

test('the chosen one is shown until an option is changed', () => {
  const chosen = settingsOf(upscalingRecipes, WEB);
  expect(recipeOf(upscalingRecipes, [POSTER, WEB], chosen)).toBe(WEB);
  expect(recipeOf(upscalingRecipes, [POSTER, WEB], { ...chosen, quality: 83 })).toBeNull();
  expect(recipeOf(upscalingRecipes, [], chosen)).toBeNull();
});

test('numbers may be texts, as the service takes them', () => {
  expect(settingsOf(upscalingRecipes, recipe('text', { scale: '3' })).factor).toBe(3);
});

test('what the page has no control for is named, so that nothing is left out in silence', () => {
  expect(fieldsWithoutControl(upscalingRecipes, WEB)).toEqual([]);
  const odd = recipe('odd', { scale: 2, tile: 128, fit: 'cover', format: 'unknown' });
  expect(fieldsWithoutControl(upscalingRecipes, odd)).toEqual(['tile', 'fit', 'format']);
});

test('a recipe for films fills the options of films', () => {
  const film = { name: 'hd', task: 'upscale-video', fields: { height: 1080, codec: 'hevc' } };
  expect(settingsOf(filmRecipes, film)).toMatchObject({
    filmSizing: 'size',
    filmHeightPx: 1080,
    filmCodec: 'hevc',
  });
});
