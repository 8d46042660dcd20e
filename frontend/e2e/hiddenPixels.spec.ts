import type { Page } from '@playwright/test';
import { expect, test } from './app';
import { picture } from './pictures';
import type { Service } from './service';

/** What browsers do that guard against fingerprinting: another picture is read from a canvas, without an error. */
const GUARD = `{
  const { getImageData } = OffscreenCanvasRenderingContext2D.prototype;
  OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...area) {
    const seen = getImageData.apply(this, area);
    seen.data.forEach((value, at) => (seen.data[at] = (value + at * 37) & 255));
    return seen;
  };
}
`;

/** In the page and in its worker. */
async function guard(page: Page, script: string): Promise<void> {
  await page.addInitScript(script);
  await page.route(/\/assets\/main-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: script + (await response.text()) });
  });
}

async function jpeg(service: Service): Promise<Buffer> {
  const body = new FormData();
  body.set('file', new Blob([new Uint8Array(picture(60, 45, 91))]), 'waves.png');
  body.set('scale', '2');
  body.set('format', 'jpeg');
  const response = await fetch(`${service.url}/api/upscale`, { method: 'POST', body });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

async function computeHere(page: Page): Promise<void> {
  await page.getByTestId('mode').click();
  await page.getByRole('dialog').getByText('This browser', { exact: true }).click();
  await page.keyboard.press('Escape');
}

test('a browser that guards its canvases computes the same', async ({ app, page, service }) => {
  const image = { name: 'waves.jpg', buffer: await jpeg(service) };
  await app.open(service);
  await computeHere(page);
  const results: Buffer[] = [];
  for (const isGuarded of [false, true]) {
    if (isGuarded) {
      await guard(page, GUARD);
      await page.reload();
      await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'browser');
    }
    await app.pick(isGuarded ? 'Add images' : 'Choose images', { ...image, name: `${isGuarded}.jpg` });
    await app.expectState(`${isGuarded}.jpg`, 'ready');
    await app.start();
    await app.expectState(`${isGuarded}.jpg`, 'done');
    const download = app.row(`${isGuarded}.jpg`).getByRole('button', { name: 'Download' });
    results.push((await app.saved(() => download.click())).data);
  }
  expect(results[1]?.equals(results[0] as Buffer)).toBe(true);
  // Files other than PNG are made of a canvas.
  await page.getByRole('combobox', { name: 'Format' }).click();
  await expect(page.getByRole('option')).toHaveText(['PNG']);
});

test('a browser that hides all pixels says so, and writes no other picture', async ({
  app,
  page,
  service,
}) => {
  await guard(page, `${GUARD} delete self.VideoFrame;\n`);
  await app.open(service);
  await computeHere(page);
  await app.pick('Choose images', { name: 'waves.jpg', buffer: await jpeg(service) });
  await app.expectState('waves.jpg', 'ready');
  await app.start();
  await app.expectState('waves.jpg', 'failed');
  await expect(app.row('waves.jpg')).toContainText('This browser hides the pixels of images');
  // A PNG needs no canvas.
  await app.pick('Add images', { name: 'waves.png', buffer: picture(60, 45, 92) });
  await app.expectState('waves.png', 'ready');
  await app.start();
  await app.expectState('waves.png', 'done');
});
