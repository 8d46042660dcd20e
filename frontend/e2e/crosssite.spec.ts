import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from './app';

/** A page of another origin, which a visitor of the service opens. */
let elsewhere: Server;

test.beforeAll(async () => {
  elsewhere = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>elsewhere</title><form method="post"></form>');
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
});

test.afterAll(() => {
  elsewhere.close();
});

test('a page of another site can neither change anything here nor call the service by its own name', async ({
  page,
  service,
}) => {
  const answered: { method: string; status: number }[] = [];
  page.on('response', (response) => {
    if (response.url().startsWith(service.url)) {
      answered.push({ method: response.request().method(), status: response.status() });
    }
  });
  await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
  // These are simple requests, which a browser sends without asking the service first.
  await page.evaluate(async (url) => {
    await fetch(`${url}/api/models/pixelmend-x4/pin`, { method: 'POST', mode: 'no-cors' });
    const form = new FormData();
    form.append('task', 'upscale');
    form.append('file', new Blob(['no picture']), 'a.png');
    await fetch(`${url}/api/jobs`, { method: 'POST', mode: 'no-cors', body: form });
  }, service.url);
  const posted = page.waitForResponse((response) => response.url().endsWith('/unload'));
  await page.evaluate((url) => {
    const form = document.forms[0];
    if (!form) throw new Error('the page has no form');
    form.action = `${url}/api/models/pixelmend-x4/unload`;
    form.submit();
  }, service.url);
  expect((await posted).status()).toBe(403);
  expect(answered.filter(({ method }) => method === 'POST').map(({ status }) => status)).toEqual([
    403, 403, 403,
  ]);
  const models = (await (await page.request.get(`${service.url}/api/models`)).json()) as {
    models: { id: string; pinned: boolean }[];
  };
  expect(models.models.find(({ id }) => id === 'pixelmend-x4')?.pinned).toBe(false);
  const rebound = await page.request.get(`${service.url}/api/jobs`, { headers: { Host: 'evil.example' } });
  expect(rebound.status()).toBe(421);
});

test("the service's own page can", async ({ app, page, service }) => {
  await app.open(service);
  const status = await page.evaluate(
    async () => (await fetch('/api/models/pixelmend-x4/load', { method: 'POST' })).status,
  );
  expect(status).toBe(200);
});
