import { gzipSync } from 'node:zlib';
import { expect, test } from './app';
import { violations } from './axe';
import { cutOff } from './layout';
import { picture } from './pictures';

const FIRST_LOAD_BYTES = 250_000;

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on any tab, ${colorScheme}`, async ({ app, page, service }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await app.open(service);
    expect(await violations(page)).toEqual([]);
    await app.pick(
      'Choose images',
      { name: 'waves.png', buffer: picture(60, 40, 80) },
      { name: 'empty.png', buffer: Buffer.alloc(0) },
    );
    await app.expectState('waves.png', 'ready');
    await app.expectState('empty.png', 'refused');
    await app.start();
    await app.expectState('waves.png', 'done');
    await expect(page.getByTestId('viewer')).toHaveAttribute('data-comparing');
    expect(await violations(page)).toEqual([]);
    await app.open(service, 'erase');
    await app.pick('Choose images', { name: 'waves.png', buffer: picture(60, 40, 81) });
    await expect(page.getByTestId('inpaint-canvas')).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await app.open(service, 'system');
    await expect(page.locator('[data-model="pixelmend-x4"]')).toBeVisible();
    await expect(page.getByRole('img', { name: /Device, in use, the last/ })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    expect(await violations(page)).toEqual([]);
  });
}

test('axe finds nothing while a section is loading', async ({ page, service }) => {
  for (const section of ['Erase', 'Films', 'Models']) {
    let letPass: () => void = () => undefined;
    const passes = new Promise<void>((done) => (letPass = done));
    await page.route(/Tab-[^/]*\.js$/, async (route) => {
      await passes;
      await route.continue();
    });
    await page.goto(`${service.url}/#upscale`);
    await page.reload();
    await page.getByRole('link', { name: section }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText([section]);
    await expect(page.locator('main section[aria-label]:visible')).toHaveCount(0);
    expect(await violations(page)).toEqual([]);
    letPass();
    await expect(page.locator(`main section[aria-label="${section}"]`)).toBeVisible();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText([section]);
    await page.unrouteAll();
  }
});

test('what is chosen is seen where colours are forced', async ({ app, page, service }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await app.open(service);
  const seen = ['outline-width', '2px'] as const;
  await expect(page.getByRole('link', { name: 'Enlarge' })).toHaveCSS(...seen);
  await expect(page.getByRole('link', { name: 'Erase' })).not.toHaveCSS(...seen);
  await expect(page.locator('label', { hasText: '4×' })).toHaveCSS(...seen);
  await expect(page.locator('label', { hasText: '2×' })).not.toHaveCSS(...seen);
  await app.pick('Choose images', { name: 'waves.png', buffer: picture(60, 40, 84) });
  await expect(app.row('waves.png').getByRole('button', { pressed: true })).toHaveCSS(...seen);
  await app.open(service, 'erase');
  await app.pick('Choose images', { name: 'waves.png', buffer: picture(60, 40, 85) });
  await expect(page.getByRole('button', { name: 'Brush', exact: true })).toHaveCSS(...seen);
  await expect(page.getByRole('button', { name: 'Lasso' })).not.toHaveCSS(...seen);
  await expect(page.locator('.mantine-Switch-track')).toHaveCSS('border-width', '1px');
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('nothing is wider than the screen, and everything can be reached', async ({ app, page, service }) => {
    const isTooWide = () => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    await app.open(service);
    expect(await isTooWide()).toBe(false);
    await app.pick('Choose images', { name: 'waves.png', buffer: picture(60, 40, 82) });
    await app.expectState('waves.png', 'ready');
    expect(await isTooWide()).toBe(false);
    expect(await violations(page)).toEqual([]);
    await page.getByTestId('start').tap();
    await app.expectState('waves.png', 'done');
    expect(await cutOff(page)).toEqual([]);
    await page.getByRole('link', { name: 'Models' }).tap();
    await expect(page.locator('[data-model="pixelmend-x4"]')).toBeVisible();
    expect(await isTooWide()).toBe(false);
    expect(await cutOff(page)).toEqual([]);
    await page.getByRole('link', { name: 'Erase' }).tap();
    await app.pick('Choose images', { name: 'waves.png', buffer: picture(60, 40, 83) });
    const canvas = page.getByTestId('inpaint-canvas');
    await expect(canvas).toBeVisible();
    expect(await isTooWide()).toBe(false);
    expect(await cutOff(page)).toEqual([]);
    await canvas.tap();
    await expect(page.getByRole('button', { name: 'Undo' })).toBeEnabled();
  });
});

test(
  'the first load is small, and the inference runtime is not part of it',
  { tag: '@daily' },
  async ({ app, page, service }) => {
    // Without idle time, nothing is fetched ahead.
    await page.addInitScript(() => {
      window.requestIdleCallback = () => 0;
    });
    const bodies: Promise<[string, number]>[] = [];
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (!/^\/(assets\/|$|scheme|favicon)/.test(pathname)) return;
      bodies.push(response.body().then((body) => [pathname, gzipSync(body).length]));
    });
    await app.open(service);
    const sizes = await Promise.all(bodies);
    expect(sizes.length).toBeGreaterThan(3);
    expect(sizes.filter(([path]) => /onnx|wasm/.test(path))).toEqual([]);
    expect(sizes.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(FIRST_LOAD_BYTES);
  },
);

test('the page is isolated, so that the browser may compute with threads', async ({ app, page, service }) => {
  await app.open(service);
  expect(await page.evaluate(() => window.crossOriginIsolated)).toBe(true);
});

test('settings, language and colours are remembered', { tag: '@daily' }, async ({ app, page, service }) => {
  await app.open(service);
  await page.getByText('2×').click();
  await page.getByRole('button', { name: 'Language' }).click();
  await page.getByRole('menuitem', { name: '简体中文' }).click();
  await expect(page.getByRole('heading', { name: '把图像拖到这里' })).toBeVisible();
  await page.getByRole('button', { name: '深色模式' }).click();
  await page.reload();
  await expect(page.getByRole('heading', { name: '把图像拖到这里' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
  await expect(page.getByRole('radio', { name: '2×' })).toBeChecked();
});

test('models are loaded, unloaded and pinned from the page', async ({ app, page, service }) => {
  await app.open(service, 'system');
  const model = page.locator('[data-model="pixelmend-x4"]');
  const act = (name: string) => model.getByRole('button', { name: `${name}: pixelmend-x4` }).click();
  const state = async () => {
    const { models } = await service.get<{ models: { id: string; pinned: boolean; loaded: boolean }[] }>(
      '/api/models',
    );
    const found = models.find(({ id }) => id === 'pixelmend-x4');
    return [found?.loaded, found?.pinned];
  };
  await act('Pin');
  await expect(model.getByText('Pinned')).toBeVisible();
  expect(await state()).toEqual([true, true]);
  await act('Unload');
  await expect(page.getByRole('alert')).toContainText('The model is pinned, or held by a profile.');
  await act('Unpin');
  await act('Unload');
  await expect(model.getByText('Not loaded')).toBeVisible();
  expect(await state()).toEqual([false, false]);
  await act('Load');
  await expect(model.getByText(/^Loaded/)).toBeVisible();
});
