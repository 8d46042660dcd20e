import type { Page } from '@playwright/test';
import { expect, test } from './app';
import { violations } from './axe';
import { choose, film, LONG, newest, SHORT } from './films';
import { cutOff } from './layout';
import { Service } from './service';

const COMPUTED = { timeout: 240_000 };

/** The films that are shown, the upper one last: place, length, width, and whether it stands still. */
function players(page: Page) {
  return page
    .getByTestId('player')
    .locator('video')
    .evaluateAll((videos: HTMLVideoElement[]) =>
      videos.map(({ currentTime, duration, videoWidth, paused }) => ({
        currentTime,
        duration,
        videoWidth,
        paused,
      })),
    );
}

test(
  'a film is estimated, upscaled and compared in step',
  { tag: '@daily' },
  async ({ app, page, service }) => {
    await app.open(service, 'films');
    await choose(page, 'square.mp4', await film({ clip: SHORT }));
    await expect(newest(page)).toHaveAttribute('data-state', 'ready');
    await expect(page.getByTestId('becomes')).toHaveText('192 × 128 px');
    await expect(page.getByTestId('film-notes')).toContainText('96×64 · 0:02');
    await expect(page.getByTestId('estimate')).toContainText('about 50 frames');
    await app.start();
    await expect(newest(page)).toHaveAttribute('data-state', 'done', COMPUTED);
    await expect(page.getByTestId('player')).toHaveAttribute('data-comparing');
    const [after, before] = await players(page);
    expect([after?.videoWidth, before?.videoWidth]).toEqual([192, 96]);

    await page.getByRole('slider', { name: 'Place in the film' }).focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    const apart = async () => {
      const [one, other] = await players(page);
      return one && other && one.currentTime > 0.5 ? Math.abs(one.currentTime - other.currentTime) : 9;
    };
    await expect.poll(apart).toBeLessThan(0.01);
    const slider = page.getByRole('slider', { name: 'Border between before and after' });
    await slider.focus();
    await page.keyboard.press('PageUp');
    await expect(slider).toHaveAttribute('aria-valuenow', '60');

    const { name, data } = await app.saved(() => page.getByRole('link', { name: 'Download' }).click());
    expect(name).toBe('square-x2.mp4');
    expect(data.subarray(4, 8).toString('latin1')).toBe('ftyp');
  },
);

test('what is finished can be watched while the rest is computed, also after a reload', async ({
  app,
  page,
  service,
}) => {
  await app.open(service, 'films');
  await choose(page, 'long.mp4', await film({ clip: LONG }));
  await app.start();
  await expect(page.getByTestId('progress')).toContainText(/of 600 frames/, COMPUTED);
  await page.getByRole('button', { name: 'Play' }).click();
  await expect(page.getByTestId('finished')).toBeVisible(COMPUTED);
  await expect(page.getByTestId('player')).toHaveAttribute('data-comparing');
  await expect.poll(async () => (await players(page))[0]?.currentTime).toBeGreaterThan(0.5);
  // The result is not complete: it is the playlist that is shown.
  await expect(newest(page)).toHaveAttribute('data-state', 'running');
  expect((await players(page))[0]?.duration).toBeLessThan(24);
  const apart = async () => {
    const [result, original] = await players(page);
    return Math.abs((result?.currentTime ?? 0) - (original?.currentTime ?? 9));
  };
  await expect.poll(apart).toBeLessThan(0.5);

  await page.reload();
  await expect(newest(page)).toHaveAttribute('data-state', 'running');
  await expect(page.getByTestId('progress')).toContainText(/of 600 frames/);
  await expect(page.getByTestId('finished')).toBeVisible();
  await expect.poll(async () => (await players(page))[0]?.videoWidth).toBe(192);
  await page.getByRole('button', { name: 'Cancel' }).first().click();
  await expect(newest(page)).toHaveAttribute('data-state', 'cancelled');
  const state = async () => {
    const { jobs } = await service.get<{ jobs: { file_name: string; state: string }[] }>('/api/jobs');
    return jobs.find((job) => job.file_name === 'long.mp4')?.state;
  };
  await expect.poll(state).toBe('cancelled');
});

test('three seconds are tried from the frame that is seen', async ({ app, page, service }) => {
  await app.open(service, 'films');
  await choose(page, 'part.mp4', await film({ clip: LONG }));
  await expect(newest(page)).toHaveAttribute('data-state', 'ready');
  const place = page.getByRole('slider', { name: 'Place in the film' });
  await place.focus();
  await page.keyboard.press('PageUp');
  await page.keyboard.press('.');
  await expect.poll(async () => (await players(page))[0]?.currentTime).toBeGreaterThan(10);
  const seen = (await players(page))[0]?.currentTime ?? 0;
  await page.getByTestId('try').click();
  await expect(newest(page)).toContainText('3 seconds from');
  await expect(newest(page)).toHaveAttribute('data-state', 'done', COMPUTED);
  await expect(page.getByTestId('player')).toHaveAttribute('data-comparing');
  const apart = async () => {
    const [result, original] = await players(page);
    return (original?.currentTime ?? 99) - (result?.currentTime ?? 0) - seen;
  };
  await expect.poll(apart).toBeLessThan(0.05);
  expect((await players(page))[0]?.duration).toBeLessThan(3.2);
  await expect(page.getByTestId('start')).toHaveText('The whole film');

  // A result that stands still without a word, as it does in WebKit where its finished part ends.
  const speed = (rate: number) =>
    page
      .getByTestId('player')
      .locator('video')
      .first()
      .evaluate((result: HTMLVideoElement, to) => void (result.playbackRate = to), rate);
  await speed(0);
  await page.getByRole('button', { name: 'Play' }).click();
  await page.waitForTimeout(2000);
  expect(await apart()).toBeLessThan(0.6);
  expect((await players(page))[0]?.paused).toBe(false);
  await speed(0.5);
  await expect.poll(async () => (await players(page))[0]?.currentTime).toBeGreaterThan(0.5);
  expect(Math.abs(await apart())).toBeLessThan(0.6);
  expect((await players(page))[1]?.paused).toBe(false);
  for (const width of [1280, 390, 320]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await cutOff(page)).toEqual([]);
  }
});

test('leaving while a film is sent is asked about, and not afterwards', async ({ app, page, service }) => {
  const questions: string[] = [];
  page.on('dialog', (dialog) => {
    questions.push(dialog.type());
    void dialog.dismiss();
  });
  let send = () => {};
  const held = new Promise<void>((resolve) => (send = resolve));
  await page.route('**/api/jobs', async (route) => {
    if (route.request().method() === 'POST') await held;
    await route.continue();
  });
  await app.open(service, 'films');
  await choose(page, 'sent.mp4', await film({ clip: SHORT }));
  await app.start();
  await expect(newest(page)).toHaveAttribute('data-state', 'running');
  await page.close({ runBeforeUnload: true });
  await expect.poll(() => questions).toEqual(['beforeunload']);
  send();
  await expect(newest(page)).toHaveAttribute('data-state', 'done', COMPUTED);
  await page.reload();
  await expect(newest(page)).toHaveAttribute('data-state', 'done');
  expect(questions).toEqual(['beforeunload']);
});

test('what is no film is refused in words: here, or by the service', async ({ app, page, service }) => {
  await app.open(service, 'films');
  await choose(page, 'empty.mp4', Buffer.alloc(0));
  await expect(newest(page)).toContainText('The file is empty');
  await choose(page, 'text.mp4', Buffer.from('no film at all\n'.repeat(50)));
  await expect(newest(page)).toHaveAttribute('data-state', 'ready');
  await expect(page.getByTestId('player')).toContainText('This browser cannot play this film');
  await app.start();
  await expect(newest(page)).toHaveAttribute('data-state', 'failed', COMPUTED);
  await expect(newest(page)).toContainText('The service cannot read this as a film.');
  await newest(page).getByText('Details').click();
  await expect(newest(page)).toContainText('no film');
});

test('an animated image stays one, and is compared', async ({ app, page, service }) => {
  await app.open(service, 'films');
  const clip = 'constant_rate(4, 10), codec="gif", pixel_format="rgb8"';
  await choose(page, 'square.gif', await film({ clip, suffix: '.gif' }));
  await expect(newest(page)).toHaveAttribute('data-state', 'ready');
  await expect(page.getByTestId('film-notes')).toContainText('4 frames');
  await app.start();
  await expect(newest(page)).toHaveAttribute('data-state', 'done', COMPUTED);
  await expect(page.getByTestId('player')).toHaveAttribute('data-comparing');
  await expect(page.getByTestId('player').locator('img')).toHaveCount(2);
});

test('without the service the section says what to do', async ({ app, page, service }) => {
  await app.open(service, 'films');
  await page.getByTestId('mode').click();
  await page.getByText('This browser', { exact: true }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('obstacle')).toContainText('too slow for films');
  await choose(page, 'square.mp4', await film({ clip: SHORT }));
  await expect(page.getByTestId('start')).toBeDisabled();
  await page.getByTestId('obstacle').getByRole('button', { name: 'Use the service' }).click();
  await expect(page.getByTestId('start')).toBeEnabled();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on films, ${colorScheme}`, async ({ app, page, service }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await app.open(service, 'films');
    expect(await violations(page)).toEqual([]);
    await choose(page, 'square.mp4', await film({ clip: SHORT }));
    await choose(page, 'empty.mp4', Buffer.alloc(0));
    await expect(newest(page)).toHaveAttribute('data-state', 'refused');
    await choose(page, 'square.mp4', await film({ clip: SHORT }));
    await app.start();
    await expect(newest(page)).toHaveAttribute('data-state', 'done', COMPUTED);
    await expect(page.getByTestId('player')).toHaveAttribute('data-comparing');
    await page.getByRole('button', { name: 'More options' }).click();
    await expect(page.getByRole('combobox', { name: 'Codec' })).toBeVisible();
    expect(await violations(page)).toEqual([]);
  });
}

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('a film can be sent, and nothing is wider than the screen', async ({ app, page, service }) => {
    const isTooWide = () => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    await app.open(service, 'films');
    expect(await isTooWide()).toBe(false);
    await choose(page, 'square.mp4', await film({ clip: SHORT }));
    await page.getByTestId('start').tap();
    await expect(newest(page)).toHaveAttribute('data-state', 'done', COMPUTED);
    await expect(page.getByTestId('player')).toHaveAttribute('data-comparing');
    expect(await isTooWide()).toBe(false);
    // No tooltip is left open, which would lie outside of all landmarks.
    await page.mouse.move(180, 60);
    await expect(page.getByRole('tooltip')).toHaveCount(0);
    expect(await violations(page)).toEqual([]);
  });
});

test('with an API key the result is fetched with it, and so is what is finished', async ({ app, page }) => {
  const guarded = await Service.start({ PIXELMEND_API_KEYS: 'a-key-of-this-test' });
  try {
    await page.addInitScript(() =>
      localStorage.setItem('pixelmend-settings', JSON.stringify({ apiKey: 'a-key-of-this-test' })),
    );
    await app.open(guarded, 'films');
    await choose(page, 'long.mp4', await film({ clip: LONG }));
    await app.start();
    await expect(page.getByTestId('finished')).toBeVisible(COMPUTED);
    await expect.poll(async () => (await players(page))[0]?.videoWidth).toBe(192);
    await page.getByRole('button', { name: 'Cancel' }).first().click();
    await choose(page, 'square.mp4', await film({ clip: SHORT }));
    await app.start();
    await expect(newest(page)).toHaveAttribute('data-state', 'done', COMPUTED);
    await expect(page.getByTestId('player')).toHaveAttribute('data-comparing');
    const { name } = await app.saved(() => page.getByRole('button', { name: 'Download' }).click());
    expect(name).toBe('square-x2.mp4');
  } finally {
    await guarded.dispose();
  }
});
