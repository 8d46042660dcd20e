import { unzipSync } from 'fflate';
import { expect, test } from './app';
import { animation, picture, sizeOfPng } from './pictures';

test(
  'an image is estimated, upscaled, compared and downloaded',
  { tag: '@daily' },
  async ({ app, page, service }) => {
    await app.open(service);
    await app.pick('Choose images', { name: 'waves.png', buffer: picture(120, 90) });
    await app.expectState('waves.png', 'ready');
    await expect(page.getByTestId('becomes')).toHaveText('480 × 360 px');
    await expect(page.getByTestId('estimate')).toContainText(/about .* s|Not measured yet/);
    await app.start();
    await app.expectState('waves.png', 'done');
    await expect(page.getByTestId('ran-on')).toHaveAttribute('data-mode', 'server');
    await expect(page.getByTestId('viewer')).toHaveAttribute('data-comparing');

    const slider = page.getByRole('slider', { name: 'Border between before and after' });
    await slider.focus();
    await page.keyboard.press('PageUp');
    await expect(slider).toHaveAttribute('aria-valuenow', '60');
    const zoom = page.getByTestId('zoom');
    const fitted = await zoom.textContent();
    await page.getByRole('button', { name: '1:1' }).click();
    await expect(zoom).toHaveText('100 %');
    await page.keyboard.press('0');
    await expect(zoom).toHaveText(fitted ?? '');

    const { name, data } = await app.saved(() =>
      app.row('waves.png').getByRole('button', { name: 'Download' }).click(),
    );
    expect(name).toBe('waves-480x360.png');
    expect(sizeOfPng(data)).toEqual([480, 360]);
  },
);

test('a format whose header is not read here is measured by the browser, or said to be unknown', async ({
  app,
  page,
  service,
}) => {
  const encoded = async (format: string) => {
    const body = new FormData();
    body.set('file', new Blob([new Uint8Array(picture(60, 45, 90))]), 'waves.png');
    body.set('scale', '2');
    body.set('format', format);
    const response = await fetch(`${service.url}/api/upscale`, { method: 'POST', body });
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  };
  await app.open(service);
  // This browser decodes AVIF, but not TIFF.
  await app.pick('Choose images', { name: 'waves.avif', buffer: await encoded('avif') });
  await app.expectState('waves.avif', 'ready');
  await expect(app.row('waves.avif')).toContainText('120×90');
  await expect(page.getByTestId('becomes')).toHaveText('480 × 360 px');
  await expect(page.getByTestId('estimate')).toContainText(/about .* s|Not measured yet/);
  await app.row('waves.avif').getByRole('button', { name: 'Remove' }).click();
  await app.pick('Choose images', { name: 'waves.tiff', buffer: await encoded('tiff') });
  await app.expectState('waves.tiff', 'ready');
  await expect(page.getByTestId('estimate')).toContainText('this format tells its size once it is read');
  await app.start();
  await app.expectState('waves.tiff', 'done');
});

test('before and after lie on one another, on their sides of the border', async ({ app, page, service }) => {
  await app.open(service);
  await app.pick('Choose images', { name: 'waves.png', buffer: picture(120, 90, 2) });
  await app.expectState('waves.png', 'ready');
  await app.start();
  await app.expectState('waves.png', 'done');
  await expect(page.getByTestId('viewer')).toHaveAttribute('data-comparing');
  // The same place, once on one side of the border and once on the other: similar, but not the same.
  const pixels = () =>
    page
      .getByTestId('viewer')
      .locator('canvas')
      .evaluate((canvas: HTMLCanvasElement) => {
        const { width, height } = canvas;
        const data = canvas.getContext('2d')?.getImageData(width / 4, height / 3, width / 2, height / 3).data;
        return Array.from(data ?? []);
      });
  const slider = page.getByRole('slider', { name: 'Border between before and after' });
  await slider.focus();
  await page.keyboard.press('End');
  await expect(slider).toHaveAttribute('aria-valuenow', '100');
  const before = await pixels();
  await page.keyboard.press('Home');
  await expect(slider).toHaveAttribute('aria-valuenow', '0');
  await expect.poll(async () => (await pixels()).some((value, n) => value !== before[n])).toBe(true);
  const after = await pixels();
  const mean = after.reduce((sum, value, n) => sum + Math.abs(value - (before[n] ?? 0)), 0) / after.length;
  expect(mean).toBeLessThan(20);
});

test('many at once: exact size, another format, one archive of all', async ({ app, page, service }) => {
  await app.open(service);
  const names = ['a.png', 'b.png', 'c.png'];
  await app.pick('Choose images', ...names.map((name, n) => ({ name, buffer: picture(64, 48, n + 5) })));
  for (const name of names) await app.expectState(name, 'ready');
  await page.getByText('Exact size').click();
  await page.getByRole('textbox', { name: 'Width' }).fill('200');
  await page.getByRole('combobox', { name: 'Format' }).click();
  await page.getByRole('option', { name: 'WebP' }).click();
  await page.getByTestId('start').click();
  for (const name of names) await app.expectState(name, 'done');
  const { data } = await app.saved(() => page.getByRole('button', { name: 'Download all (ZIP)' }).click());
  const files = unzipSync(new Uint8Array(data));
  expect(Object.keys(files)).toEqual(names.map((name) => name.replace('.png', '-200x150.webp')));
  for (const file of Object.values(files)) expect(Buffer.from(file.slice(8, 12)).toString()).toBe('WEBP');
});

test(
  'what cannot work is refused in words, before it is sent',
  { tag: '@daily' },
  async ({ app, page, service }) => {
    const sent: string[] = [];
    page.on(
      'request',
      (request) => request.method() === 'POST' && sent.push(new URL(request.url()).pathname),
    );
    await app.open(service);
    const whole = picture(64, 48);
    await app.pick(
      'Choose images',
      { name: 'empty.png', buffer: Buffer.alloc(0) },
      { name: 'text.png', buffer: Buffer.from('no image at all') },
      { name: 'cut.png', buffer: whole.subarray(0, whole.length / 2) },
      { name: 'moving.gif', buffer: animation() },
    );
    const said: [string, string][] = [
      ['empty.png', 'The file is empty'],
      ['text.png', 'no image that can be read'],
      ['cut.png', 'ends too early'],
      ['moving.gif', 'This is an animation'],
    ];
    for (const [name, words] of said) {
      await app.expectState(name, 'refused');
      await expect(app.row(name)).toContainText(words);
    }
    await expect(page.getByTestId('start')).toBeDisabled();
    expect(sent).toEqual([]);
    await app.row('moving.gif').getByRole('button', { name: 'Take the first frame' }).click();
    await app.expectState('moving.gif', 'ready');
    await app.start();
    await app.expectState('moving.gif', 'done');
  },
);

test('images come in by drop and by paste, and nothing jumps while they are worked on', async ({
  app,
  page,
  service,
}) => {
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
      })[]) {
        if (!entry.hadRecentInput) shifts.push(entry.value);
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await app.open(service);
  await page.evaluate(
    ([drop, paste]) => {
      const transferOf = (name: string, base64: string) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], name, { type: 'image/png' }));
        return transfer;
      };
      window.dispatchEvent(
        new DragEvent('drop', { dataTransfer: transferOf('dropped.png', drop), cancelable: true }),
      );
      window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transferOf('pasted.png', paste) }));
    },
    [picture(50, 40, 20).toString('base64'), picture(50, 40, 21).toString('base64')] as const,
  );
  await app.expectState('dropped.png', 'ready');
  await app.expectState('pasted.png', 'ready');
  await page.evaluate(() => ((window as unknown as { shifts: number[] }).shifts.length = 0));
  await app.start();
  await app.expectState('dropped.png', 'done');
  await app.expectState('pasted.png', 'done');
  const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
  expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThan(0.02);
});

test('a queue survives a reload: the job goes on, and its result comes from the job store', async ({
  app,
  page,
  service,
}) => {
  await app.open(service);
  await app.pick('Choose images', { name: 'long.png', buffer: picture(900, 700, 30) });
  await app.expectState('long.png', 'ready');
  await page.getByText('8×').click();
  const submitted = page.waitForResponse((response) => response.url().endsWith('/api/jobs'));
  await app.start();
  const { id } = (await (await submitted).json()) as { id: string };
  await expect(app.row('long.png')).toContainText('Enlarging');
  const jobs = () => service.get<{ jobs: { id: string }[] }>('/api/jobs').then((list) => list.jobs.length);
  const before = await jobs();
  await page.reload();
  await app.expectState('long.png', 'done');
  await expect(app.row('long.png')).toContainText('7200×5600');
  await page.reload();
  await app.expectState('long.png', 'done');
  expect(await jobs()).toBe(before);
  expect((await service.get<{ state: string }>(`/api/jobs/${id}`)).state).toBe('done');
});

test('cancelling ends the job at the service', async ({ app, page, service }) => {
  await app.open(service);
  await app.pick('Choose images', { name: 'long.png', buffer: picture(1000, 900, 31) });
  await app.expectState('long.png', 'ready');
  const submitted = page.waitForResponse((response) => response.url().endsWith('/api/jobs'));
  await app.start();
  const { id } = (await (await submitted).json()) as { id: string };
  await app.row('long.png').getByRole('button', { name: 'Cancel' }).click();
  await app.expectState('long.png', 'cancelled');
  await expect
    .poll(() => service.get<{ state: string }>(`/api/jobs/${id}`).then((job) => job.state))
    .toBe('cancelled');
  await app.row('long.png').getByRole('button', { name: 'Try again' }).click();
  await app.expectState('long.png', 'done');
});

test('models and mixtures are tried on a crop, side by side, and one is chosen', async ({
  app,
  page,
  service,
}) => {
  await app.open(service);
  await app.pick('Choose images', { name: 'waves.png', buffer: picture(400, 300, 40) });
  await app.expectState('waves.png', 'ready');
  await page.getByRole('button', { name: 'Try models on a crop' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Try', exact: true }).click();
  const faithful = dialog.getByRole('img', { name: /^Crop by Faithful/ });
  const between = dialog.getByRole('img', { name: 'Crop by Clean and half crisp' });
  for (const image of [faithful, between]) {
    await expect(image).toBeVisible();
    await expect.poll(() => image.evaluate((element: HTMLImageElement) => element.naturalWidth)).toBe(640);
  }
  const pane = dialog.getByRole('figure').filter({ hasText: 'Clean and half crisp' });
  await pane.getByRole('button', { name: 'Use this' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('slider', { name: 'Remove noise' })).toHaveAttribute('aria-valuenow', '1');
  await expect(page.getByRole('slider', { name: 'Crisp detail' })).toHaveAttribute('aria-valuenow', '0.5');
});

test('a result of 64 megapixels is shown, whole and close, without being held decoded', async ({
  app,
  page,
  service,
}) => {
  await page.addInitScript(() => {
    const decode = window.createImageBitmap.bind(window);
    const held: number[] = [];
    Object.assign(window, { held });
    window.createImageBitmap = (async (...given: Parameters<typeof createImageBitmap>) => {
      const bitmap = await decode(...given);
      held.push(bitmap.width * bitmap.height);
      return bitmap;
    }) as typeof createImageBitmap;
  });
  await app.open(service);
  await app.pick('Choose images', { name: 'huge.png', buffer: picture(1000, 1000, 50) });
  await app.expectState('huge.png', 'ready');
  await page.getByText('8×').click();
  await app.start();
  await app.expectState('huge.png', 'done');
  await expect(app.row('huge.png')).toContainText('8000×8000');
  await expect(page.getByTestId('viewer')).toHaveAttribute('data-comparing');
  const before = await page.evaluate(() => (window as unknown as { held: number[] }).held.length);
  await page.getByRole('button', { name: '1:1' }).click();
  await expect(page.getByTestId('zoom')).toHaveText('100 %');
  // The visible part is decoded, and nothing that is too large.
  const held = () => page.evaluate(() => (window as unknown as { held: number[] }).held);
  await expect.poll(async () => (await held()).length).toBeGreaterThan(before);
  expect(Math.max(...(await held()))).toBeLessThanOrEqual(16_000_000);
});
