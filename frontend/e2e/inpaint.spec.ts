import { readPng } from '../src/imaging/png/reader';
import { expect, test } from './app';
import { draw } from './painting';
import { picture, sizeOfPng } from './pictures';

const IMAGE = { name: 'waves.png', buffer: picture(200, 100, 60) };

async function maskOf(png: Buffer): Promise<{ width: number; height: number; count: number }> {
  const { widthPx, heightPx, channels, data } = await readPng(new Uint8Array(png));
  expect(channels).toBe(1);
  return { width: widthPx, height: heightPx, count: data.filter((value) => value === 255).length };
}

test(
  'what is painted is inpainted by the service; then again on the result, which is upscaled at last',
  { tag: '@daily' },
  async ({ app, page, service }) => {
    await app.open(service, 'erase');
    await app.pick('Choose images', IMAGE);
    await expect(page.getByTestId('inpaint-canvas')).toBeVisible();
    await expect(
      page.getByRole('status').filter({ hasText: 'Paint over what is to be removed.' }),
    ).toBeVisible();
    await page.keyboard.press('r');
    await draw(page, [0.45, 0.45], [0.55, 0.55]);
    await page.getByTestId('inpaint-run').click();
    const done = page.getByText('Erased. Paint again to go on from this result.');
    await expect(done).toBeVisible({ timeout: 60_000 });
    const first = await app.saved(() => page.getByRole('button', { name: 'Download', exact: true }).click());
    expect(sizeOfPng(first.data)).toEqual([200, 100]);
    expect(first.data.equals(IMAGE.buffer)).toBe(false);

    await page.keyboard.press('b');
    await draw(page, [0.3, 0.5], [0.4, 0.5]);
    await page.getByTestId('inpaint-run').click();
    await expect(page.getByTestId('inpaint-run')).toBeEnabled();
    await expect(done).toBeVisible({ timeout: 60_000 });
    const second = await app.saved(() => page.getByRole('button', { name: 'Download', exact: true }).click());
    expect(second.data.equals(first.data)).toBe(false);
    await page.getByRole('button', { name: 'Step back' }).click();
    const back = await app.saved(() => page.getByRole('button', { name: 'Download', exact: true }).click());
    expect(back.data.equals(first.data)).toBe(true);

    await page.getByRole('button', { name: 'Enlarge the result' }).click();
    await app.expectState('waves.png', 'ready');
  },
);

test('inpainted and upscaled in one go', async ({ app, page, service }) => {
  await app.open(service, 'erase');
  await app.pick('Choose images', IMAGE);
  await expect(page.getByTestId('inpaint-canvas')).toBeVisible();
  await draw(page, [0.5, 0.5], [0.55, 0.5]);
  await page.getByRole('switch', { name: 'Enlarge afterwards, 4×' }).click();
  await page.getByTestId('inpaint-run').click();
  await expect(page.getByText('Erased. Paint again')).toBeVisible({ timeout: 60_000 });
  const { data } = await app.saved(() => page.getByRole('button', { name: 'Download', exact: true }).click());
  expect(sizeOfPng(data)).toEqual([800, 400]);
});

test('the mask is of the size of the image; it can be undone, inverted, exported and imported', async ({
  app,
  page,
  service,
}) => {
  await app.open(service, 'erase');
  await app.pick('Choose images', IMAGE);
  await expect(page.getByTestId('inpaint-canvas')).toBeVisible();
  const exported = async () =>
    maskOf((await app.saved(() => page.getByRole('button', { name: 'Export' }).click())).data);
  await page.keyboard.press('r');
  await draw(page, [0.4, 0.4], [0.6, 0.6]);
  const drawn = await exported();
  expect([drawn.width, drawn.height]).toEqual([200, 100]);
  expect(drawn.count).toBeGreaterThan(100);
  await page.keyboard.press('i');
  expect((await exported()).count).toBe(20_000 - drawn.count);
  await page.keyboard.press('Control+z');
  expect((await exported()).count).toBe(drawn.count);
  await page.getByRole('button', { name: 'Grow' }).click();
  expect((await exported()).count).toBeGreaterThan(drawn.count);
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+z');
  expect((await exported()).count).toBe(0);
  await page.keyboard.press('Control+Shift+z');
  const file = await app.saved(() => page.getByRole('button', { name: 'Export' }).click());
  await page.getByRole('button', { name: 'Clear' }).click();
  expect((await exported()).count).toBe(0);
  await app.pick('Import', { name: 'mask.png', buffer: file.data });
  await expect.poll(async () => (await exported()).count).toBe(drawn.count);
});

test('a mask that is empty, or full, is not sent: there is nothing to do, or nothing to fill from', async ({
  app,
  page,
  service,
}) => {
  await app.open(service, 'erase');
  await app.pick('Choose images', IMAGE);
  await expect(page.getByTestId('inpaint-canvas')).toBeVisible();
  await page.getByTestId('inpaint-run').click();
  const status = page.getByRole('status').filter({ hasText: 'Paint over what is to be removed.' });
  await expect(status).toHaveAttribute('data-failed', 'true');
  await page.getByRole('button', { name: 'Invert' }).click();
  await page.getByTestId('inpaint-run').click();
  await expect(page.getByText('All is painted')).toBeVisible();
});

test('brackets change the size of the brush', async ({ app, page, service }) => {
  await app.open(service, 'erase');
  await app.pick('Choose images', IMAGE);
  await expect(page.getByTestId('inpaint-canvas')).toBeVisible();
  await expect(page.getByText('40 px')).toBeVisible();
  await page.keyboard.press(']');
  await expect(page.getByText('50 px')).toBeVisible();
  await page.keyboard.press('[');
  await expect(page.getByText('40 px')).toBeVisible();
});
