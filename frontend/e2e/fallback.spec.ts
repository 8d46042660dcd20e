import type { Page } from '@playwright/test';
import { expect, test as base } from './app';
import { surplusPx } from './layout';
import { picture } from './pictures';
import { Service } from './service';

/** A service of its own, which a test may stop. */
const test = base.extend<{ own: Service }>({
  own: async ({}, use) => {
    const service = await Service.start();
    await use(service);
    await service.dispose();
  },
});

/** Waits until the page has fetched all that it needs to compute by itself. */
async function engineIsKept(page: Page): Promise<void> {
  await expect(page.locator('html')).toHaveAttribute('data-engine', 'kept');
}

test('stopped: this browser does it and says so; back: the service does the next', async ({
  app,
  page,
  own,
}) => {
  await app.open(own);
  await engineIsKept(page);
  await app.pick('Choose images', { name: 'waves.png', buffer: picture(80, 60, 70) });
  await app.expectState('waves.png', 'ready');
  await own.stop('SIGKILL');
  await app.start();
  await app.expectState('waves.png', 'done');
  const notice = page.getByRole('status').filter({ hasText: 'The service cannot be reached.' });
  await expect(notice).toBeVisible();
  await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'browser');
  await own.restart();
  // The page asks the service every few seconds.
  await expect(notice).toBeHidden();
  await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'server');
  await app.pick('Add images', { name: 'next.png', buffer: picture(80, 60, 73) });
  await app.expectState('next.png', 'ready');
  await app.start();
  await app.expectState('next.png', 'done');
});

test('killed in the middle of a job: this browser finishes it', async ({ app, page, own }) => {
  await app.open(own);
  await engineIsKept(page);
  await app.pick('Choose images', { name: 'long.png', buffer: picture(800, 700, 71) });
  await app.expectState('long.png', 'ready');
  await app.start();
  await expect(app.row('long.png')).toContainText('Enlarging');
  await own.stop('SIGKILL');
  await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'browser');
  await app.expectState('long.png', 'done');
  await expect(page.getByRole('status').filter({ hasText: 'The service cannot be reached.' })).toBeVisible();
});

test('only this browser: chosen by the user, the service is not asked for anything', async ({
  app,
  page,
  own,
}) => {
  await app.open(own);
  await page.getByTestId('mode').click();
  await page.getByRole('dialog').getByText('This browser', { exact: true }).click();
  await page.keyboard.press('Escape');
  const asked: string[] = [];
  page.on('request', (request) => /\/(api|readyz)/.test(request.url()) && asked.push(request.url()));
  await app.pick('Choose images', { name: 'waves.png', buffer: picture(80, 60, 72) });
  await app.expectState('waves.png', 'ready');
  await app.start();
  await app.expectState('waves.png', 'done');
  expect(asked).toEqual([]);
  // The notice above takes its height from the viewer.
  expect(await surplusPx(page)).toBe(0);
  await page.getByRole('button', { name: 'Use the service' }).click();
  await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'server');
});
