import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test as base } from './app';
import { Mirror } from './mirror';
import { Service } from './service';

const ID = 'RealESRGAN_x4plus_anime_6B';
const SIZE_BYTES = 17_938_799;
/** Nothing listens here, so that files which the mirror lacks are not searched on the internet. */
const NOWHERE = 'http://127.0.0.1:9';

/** A service that downloads its models from a server of the test. */
const test = base.extend<{ mirror: Mirror; own: Service }>({
  mirror: async ({}, use) => {
    const mirror = new Mirror(SIZE_BYTES, 5_000_000);
    await use(mirror);
    await mirror.stop();
  },
  own: async ({ mirror }, use) => {
    const service = await Service.start({
      PIXELMEND_MODEL_MIRROR: await mirror.start(),
      HTTPS_PROXY: NOWHERE,
      https_proxy: NOWHERE,
    });
    await use(service);
    await service.dispose();
  },
});

test('a model is downloaded from the page: progress, stop, resume, and why it failed', async ({
  app,
  page,
  own,
  mirror,
}) => {
  await app.open(own, 'system');
  const row = page.locator(`[data-model="${ID}"]`);
  const click = (name: string) => row.getByRole('button', { name: `${name}: ${ID}` }).click();
  await expect(page.locator('[data-model="pixelmend-x4"]')).toBeVisible();
  await expect(row).toBeHidden();
  const isShown = page.getByRole('switch', { name: 'Show models to download' });
  await isShown.click();
  await expect(row).toContainText('Not here');
  await expect(row).toContainText('Download, 17.9 MB');

  await click('Download, 17.9 MB');
  const bar = row.getByRole('progressbar', { name: `Downloading: ${ID}` });
  await expect(row).toContainText('5.0 MB of 17.9 MB');
  await expect(bar).toHaveAttribute('aria-valuenow', /^27/);
  // A model that is being downloaded is listed with those that are there.
  await isShown.click();
  await expect(bar).toBeVisible();
  await page.reload();
  await expect(bar).toBeVisible();

  await click('Stop');
  await expect(row).toBeHidden();
  mirror.goOn();
  await isShown.click();
  await click('Download, 17.9 MB');
  // The content is wrong, so the file is fetched again, and then from elsewhere.
  await expect(row.getByRole('alert')).toContainText('The model could not be downloaded.');
  expect(mirror.askedRanges.some((range) => /bytes=[1-9]/.test(range ?? ''))).toBe(true);
  await row.getByText('Details').click();
  await expect(row).toContainText(`${ID}.pth`);
  await click('Dismiss');
  await expect(row).toContainText('Download, 17.9 MB');

  // A file that is put there by hand counts at once.
  await copyFile(join(import.meta.dirname, 'mirror.ts'), join(own.modelsFolder, `${ID}.pth`));
  await expect(row.getByRole('button', { name: `Load: ${ID}` })).toBeVisible();
});
