import { expect, test } from './app';
import { picture, sizeOfPng } from './pictures';
import { Service } from './service';

const RECIPES = {
  'web-2x': { scale: 2, format: 'webp', quality: 82 },
  thumb: { width: 300 },
  tiled: { scale: 2, tile: 128 },
};

test('a recipe fills the options, which stay changeable', { tag: '@daily' }, async ({ app, page }) => {
  const service = await Service.start({ PIXELMEND_RECIPES: JSON.stringify(RECIPES) });
  try {
    await app.open(service);
    await app.pick('Choose images', { name: 'waves.png', buffer: picture(120, 90) });
    await app.expectState('waves.png', 'ready');
    const recipe = page.getByRole('combobox', { name: 'Recipe' });
    await expect(recipe).toHaveValue('');
    await recipe.click();
    const elsewhere = page.getByRole('option', { name: 'tiled (not on this page: tile)' });
    await expect(elsewhere).toHaveAttribute('data-combobox-disabled', 'true');
    await page.getByRole('option', { name: 'web-2x' }).click();
    await expect(page.getByTestId('becomes')).toHaveText('240 × 180 px');
    await expect(page.getByRole('combobox', { name: 'Format' })).toHaveValue('WebP');
    await expect(page.getByRole('slider', { name: 'Quality' })).toHaveAttribute('aria-valuenow', '82');
    await expect(recipe).toHaveValue('web-2x');

    await page.getByRole('slider', { name: 'Quality' }).focus();
    await page.keyboard.press('ArrowRight');
    await expect(recipe).toHaveValue('');
    await recipe.click();
    await page.getByRole('option', { name: 'thumb' }).click();
    await expect(page.getByTestId('becomes')).toHaveText('300 × 225 px');
    await app.start();
    await app.expectState('waves.png', 'done');
    const { data } = await app.saved(() =>
      app.row('waves.png').getByRole('button', { name: 'Download' }).click(),
    );
    expect(sizeOfPng(data)).toEqual([300, 225]);
  } finally {
    await service.dispose();
  }
});
