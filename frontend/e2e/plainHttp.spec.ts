import { expect, test } from './app';
import { choose, film, newest, SHORT } from './films';
import { draw } from './painting';
import { picture, sizeOfPng } from './pictures';

/** As from another machine of the network: browsers keep much from pages that come without HTTPS. */
test('all sections work by plain HTTP', { tag: '@daily' }, async ({ app, page, service }) => {
  await page.goto(service.url.replace('127.0.0.1', 'nas'));
  expect(await page.evaluate(() => isSecureContext)).toBe(false);
  await app.pick('Choose images', { name: 'waves.png', buffer: picture(80, 60, 90) });
  await app.expectState('waves.png', 'ready');
  await app.start();
  await app.expectState('waves.png', 'done');

  await page.locator('nav a[href="#erase"]').click();
  await app.pick('Choose images', { name: 'other.png', buffer: picture(80, 60, 91) });
  await draw(page, [0.3, 0.5], [0.6, 0.5]);
  await page.getByTestId('inpaint-run').click();
  await expect(page.getByText('Erased. Paint again')).toBeVisible();

  await page.locator('nav a[href="#films"]').click();
  await choose(page, 'plain.mp4', await film({ clip: SHORT }));
  await expect(newest(page)).toHaveAttribute('data-state', 'ready');
});

test('the browser computes by itself there too', async ({ app, page, service }) => {
  await page.goto(service.url.replace('127.0.0.1', 'nas'));
  await page.getByTestId('mode').click();
  await page.getByRole('dialog').getByText('This browser', { exact: true }).click();
  await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'browser');
  await app.pick('Choose images', { name: 'waves.png', buffer: picture(80, 60, 92) });
  await app.expectState('waves.png', 'ready');
  await app.start();
  await app.expectState('waves.png', 'done');
  const { data } = await app.saved(() =>
    app.row('waves.png').getByRole('button', { name: 'Download' }).click(),
  );
  expect(sizeOfPng(data)).toEqual([320, 240]);
});
