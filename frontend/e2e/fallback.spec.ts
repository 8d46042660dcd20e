import { expect, test as base } from './app';
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

// These say what a build without the browser's engine does. With the engine, the images are done all the same.
test('stopped: the notice says so; back: the notice goes, and a retry is done by the service', async ({
  app,
  page,
  own,
}) => {
  await app.open(own);
  await app.pick('Choose images', { name: 'waves.png', buffer: picture(80, 60, 70) });
  await app.expectState('waves.png', 'ready');
  await own.stop('SIGKILL');
  await app.start();
  await app.expectState('waves.png', 'failed');
  await expect(app.row('waves.png')).toContainText('The service cannot be reached.');
  await expect(app.row('waves.png')).toContainText('This build has no engine for the browser.');
  const notice = page.getByRole('status').filter({ hasText: 'The service cannot be reached.' });
  await expect(notice).toBeVisible();
  await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'none');
  await own.restart();
  // The page asks by itself, every few seconds.
  await expect(notice).toBeHidden();
  await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'server');
  await app.row('waves.png').getByRole('button', { name: 'Try again' }).click();
  await app.expectState('waves.png', 'done');
});

test('killed in the middle of a job: what happened is told, and the image can be done again', async ({
  app,
  page,
  own,
}) => {
  await app.open(own);
  await app.pick('Choose images', { name: 'long.png', buffer: picture(1000, 900, 71) });
  await app.expectState('long.png', 'ready');
  await app.start();
  await expect(app.row('long.png')).toContainText('Enlarging');
  await own.stop('SIGKILL');
  await app.expectState('long.png', 'failed');
  await expect(app.row('long.png')).toContainText('The service cannot be reached.');
  await own.restart();
  await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'server');
  await app.row('long.png').getByRole('button', { name: 'Try again' }).click();
  await app.expectState('long.png', 'done');
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
  await app.expectState('waves.png', 'failed');
  await expect(app.row('waves.png')).toContainText('This browser cannot compute images.');
  expect(asked).toEqual([]);
  await page.getByRole('button', { name: 'Use the service' }).click();
  await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'server');
  await app.row('waves.png').getByRole('button', { name: 'Try again' }).click();
  await app.expectState('waves.png', 'done');
});
