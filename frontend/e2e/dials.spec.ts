/** The dials of a model, and the choices in words. */

import { readPng } from '../src/imaging/png/reader';
import { expect, test } from './app';
import { picture } from './pictures';

test('a dial of the standard model is sent once it is turned', async ({ app, page, service }) => {
  await app.open(service);
  const file = picture(120, 90);
  await app.pick('Choose images', { name: 'waves.png', buffer: file });
  await app.expectState('waves.png', 'ready');
  const estimated = page.waitForRequest(
    (request) =>
      request.url().endsWith('/api/estimate') && request.postData()?.includes('"detail":1') === true,
    { timeout: 20_000 },
  );
  await page.getByRole('slider', { name: 'Crisp detail' }).press('End');
  await estimated;
  await app.start();
  await app.expectState('waves.png', 'done');
  const { data } = await app.saved(() =>
    app.row('waves.png').getByRole('button', { name: 'Download' }).click(),
  );
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(file)]), 'waves.png');
  form.append('model', 'pixelmend-x4-vivid');
  const named = await fetch(`${service.url}/api/upscale`, { method: 'POST', body: form });
  const expected = await readPng(new Uint8Array(await named.arrayBuffer()));
  expect((await readPng(Uint8Array.from(data))).data).toEqual(expected.data);
});
