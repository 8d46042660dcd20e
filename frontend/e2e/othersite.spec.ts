import { expect, test } from './app';
import { freePort, WebServer } from './builds';
import { picture } from './pictures';

const PATH = '/tools/upscaler';

test('as a part of another site it computes, by the service and in the browser', async ({
  app,
  page,
  service,
}) => {
  const site = await WebServer.otherSite(await freePort(), PATH, service.url);
  const astray: string[] = [];
  page.on('response', (response) => {
    const isHere = response.url().startsWith(`${site.url}${PATH}/`) || response.url().startsWith('blob:');
    if (!isHere || response.status() >= 400) astray.push(`${response.status()} ${response.url()}`);
  });
  try {
    await page.goto(`${site.url}${PATH}/`);
    await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'server');
    await app.pick('Choose images', { name: 'waves.png', buffer: picture(80, 60, 70) });
    await app.expectState('waves.png', 'ready');
    await app.start();
    await app.expectState('waves.png', 'done');
    await page.getByTestId('mode').click();
    await page.getByRole('dialog').getByText('This browser', { exact: true }).click();
    await page.keyboard.press('Escape');
    await app.pick('Add images', { name: 'next.png', buffer: picture(80, 60, 72) });
    await app.expectState('next.png', 'ready');
    await app.start();
    await app.expectState('next.png', 'done');
    expect(astray).toEqual([]);
  } finally {
    await site.dispose();
  }
});
