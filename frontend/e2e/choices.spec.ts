import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './app';
import { buildApp, freePort, WebServer } from './builds';
import { picture, sizeOfPng } from './pictures';
import { Service } from './service';

type App = Parameters<Parameters<typeof test>[2]>[0]['app'];

/** A picture from its choice to the result's download. */
async function upscale(app: App, seed: number): Promise<void> {
  const name = `waves-${seed}.png`;
  await app.pick('Choose images', { name, buffer: picture(80, 60, seed) });
  await app.expectState(name, 'ready');
  await app.start();
  await app.expectState(name, 'done');
  const { data } = await app.saved(() => app.row(name).getByRole('button', { name: 'Download' }).click());
  expect(sizeOfPng(data)).toEqual([320, 240]);
}

function requestsOf(page: Page): URL[] {
  const asked: URL[] = [];
  page.on('request', (request) => asked.push(new URL(request.url())));
  return asked;
}

async function expectFromService(page: Page, asked: URL[], service: Service): Promise<void> {
  await expect(page.getByTestId('ran-on')).toHaveAttribute('data-mode', 'server');
  const api = asked.filter(({ pathname }) => /^\/(api|readyz)/.test(pathname));
  expect(api.map(({ pathname }) => pathname)).toContain('/api/jobs');
  expect(new Set(api.map(({ origin }) => origin))).toEqual(new Set([service.url]));
  // Neither the headers that threads need nor the other origin cost the other.
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
}

test('VITE_API_URL: pages of nginx ask the service of another origin', async ({ app, page }) => {
  const port = await freePort();
  const service = await Service.start({ PIXELMEND_CORS_ORIGINS: `http://127.0.0.1:${port}` });
  const nginx = await WebServer.nginx(port, { VITE_API_URL: service.url });
  try {
    const asked = requestsOf(page);
    const opened = await page.goto(nginx.url);
    expect(opened?.headers()['content-security-policy']).toContain(
      `connect-src 'self' blob: ${service.url};`,
    );
    await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'server');
    await upscale(app, 81);
    await expectFromService(page, asked, service);
  } finally {
    await nginx.dispose();
    await service.dispose();
  }
});

test('VITE_API_URL: pages of a service ask the service of another origin', async ({ app, page }) => {
  const web = await mkdtemp(join(tmpdir(), 'pixelmend-web-'));
  const pages = await Service.start({ PIXELMEND_WEB_DIR: web });
  const service = await Service.start({ PIXELMEND_CORS_ORIGINS: pages.url });
  try {
    await buildApp(web, { VITE_API_URL: service.url });
    const asked = requestsOf(page);
    await page.goto(pages.url);
    await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'server');
    await upscale(app, 82);
    await expectFromService(page, asked, service);
  } finally {
    await service.dispose();
    await pages.dispose();
    await rm(web, { recursive: true });
  }
});

test('VITE_API_URL: the development server asks the service of another origin', async ({ app, page }) => {
  const port = await freePort();
  const service = await Service.start({ PIXELMEND_CORS_ORIGINS: `http://127.0.0.1:${port}` });
  const dev = await WebServer.dev(port, { VITE_API_URL: service.url });
  try {
    const asked = requestsOf(page);
    await page.goto(dev.url);
    await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'server');
    await upscale(app, 83);
    await expectFromService(page, asked, service);
  } finally {
    await dev.dispose();
    await service.dispose();
  }
});

test('VITE_UPSCALE_MODE=browser: no service is asked for anything', async ({ app, page }) => {
  const nginx = await WebServer.nginx(await freePort(), { VITE_UPSCALE_MODE: 'browser' });
  try {
    const asked = requestsOf(page);
    await page.goto(nginx.url);
    await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'browser');
    await upscale(app, 84);
    expect(asked.length).toBeGreaterThan(5);
    const foreign = asked.filter(({ origin, protocol }) => protocol !== 'blob:' && origin !== nginx.url);
    expect(foreign).toEqual([]);
    expect(asked.filter(({ pathname }) => /^\/(api|readyz|livez)/.test(pathname))).toEqual([]);
  } finally {
    await nginx.dispose();
  }
});
