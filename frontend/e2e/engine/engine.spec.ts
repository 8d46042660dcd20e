/** The engine in a real browser, compared with the real service: the same weights, the same images. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test as base } from '@playwright/test';
import { readPng } from '../../src/imaging/png/reader';
import type { Pixels } from '../../src/imaging/pixels';
import { orientationOf } from '../../src/imaging/headers/exif';
import { exifOf } from '../../src/imaging/metadata/exif';
import { profileOf } from '../../src/imaging/metadata/profile';
import { type Dials, type InpaintOptions, UNTURNED, type UpscaleOptions } from '../../src/processing/options';
import { buildHarness, call } from './harness';
import { Service } from '../service';

const test = base.extend<object, { service: Service }>({
  service: [
    async ({}, use) => {
      const harness = await buildHarness();
      const service = await Service.start({
        PIXELMEND_WEB_DIR: harness.folder,
        PIXELMEND_PRECISION: 'float32',
      });
      await use(service);
      await service.dispose();
      await harness.remove();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
});

const OUTPUT = { format: 'png', quality: null, firstFrame: false } as const;

function upscale(changes: Partial<UpscaleOptions> = {}): UpscaleOptions {
  const target = { kind: 'scale', factor: 4 } as const;
  return { task: 'upscale', model: 'pixelmend-x4', target, ...UNTURNED, ...OUTPUT, ...changes };
}

function inpaint(changes: Partial<InpaintOptions> = {}): InpaintOptions {
  const margins = { maskGrowPx: 4, maskFeatherPx: 2 };
  return { task: 'inpaint', model: null, thenUpscale: null, ...margins, ...OUTPUT, ...changes };
}

function fixture(name: string): Buffer {
  return readFileSync(resolve(import.meta.dirname, '../../../tests/fixtures', name));
}

async function byService(
  service: Service,
  file: Buffer,
  scale: number,
  dials: Partial<Dials> = {},
): Promise<Pixels> {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(file)]), 'file.png');
  for (const [name, value] of Object.entries({ scale, model: 'pixelmend-x4', format: 'png', ...dials })) {
    form.append(name, String(value));
  }
  const response = await fetch(`${service.url}/api/upscale`, { method: 'POST', body: form });
  expect(response.status).toBe(200);
  return readPng(new Uint8Array(await response.arrayBuffer()));
}

interface Difference {
  most: number;
  equalShare: number;
}

/** The colour of pixels that both make transparent is ignored, since it is invisible. */
function differenceOf(a: Pixels, b: Pixels): Difference {
  expect([a.widthPx, a.heightPx, a.channels]).toEqual([b.widthPx, b.heightPx, b.channels]);
  let most = 0;
  let equal = 0;
  a.data.forEach((value, i) => {
    const alpha = i - (i % 4) + 3;
    const isHidden = a.channels === 4 && a.data[alpha] === 0 && b.data[alpha] === 0;
    const difference = isHidden ? 0 : Math.abs(value - (b.data[i] as number));
    most = Math.max(most, difference);
    if (difference === 0) equal += 1;
  });
  return { most, equalShare: equal / a.data.length };
}

test.beforeEach(async ({ page, service }) => {
  await page.goto(service.url);
});

test('the page is isolated, so that there may be threads', async ({ page }) => {
  expect(await page.evaluate(() => window.isolated)).toBe(true);
  const able = await page.evaluate(() => window.engine.capabilities());
  expect(able.available).toBe(true);
  expect(able.formats).toEqual(['png', 'jpeg', 'webp']);
  expect(able.models.map((model) => model.id)).toEqual(
    expect.arrayContaining(['pixelmend-x4', 'pixelmend-fill']),
  );
});

const MIXTURES: Partial<Dials>[] = [
  { detail: 0.5 },
  { denoise: 1, detail: 0.4 },
  { denoise: 0.6, detail: 0.3 },
];
for (const dials of MIXTURES) {
  test(`mixed by ${JSON.stringify(dials)}: the service's picture within 2 of 255`, async ({
    page,
    service,
  }) => {
    const file = fixture('engine/small.png');
    const outcome = await call(page, { file, options: upscale(dials) });
    expect(outcome.failure).toBeNull();
    const found = differenceOf(
      await readPng(Uint8Array.from(outcome.bytes)),
      await byService(service, file, 4, dials),
    );
    expect(found.most).toBeLessThanOrEqual(2);
    expect(found.equalShare).toBeGreaterThan(0.9);
  });
}

for (const [name, factor] of [
  ['small', 4],
  ['large', 4],
  ['transparent', 4],
  ['grey', 4],
  ['small', 2],
  ['large', 3],
  ['transparent', 2],
] as const) {
  test(`${name}, ${factor} times: the service's picture within 2 of 255`, async ({ page, service }) => {
    const file = fixture(`engine/${name}.png`);
    const outcome = await call(page, { file, options: upscale({ target: { kind: 'scale', factor } }) });
    expect(outcome.failure).toBeNull();
    expect(outcome.notes).toEqual([]);
    expect(outcome.device).toMatch(/^(webgpu|wasm, \d+ threads)$/);
    const found = differenceOf(
      await readPng(Uint8Array.from(outcome.bytes)),
      await byService(service, file, factor),
    );
    test.info().annotations.push({ type: 'difference', description: JSON.stringify(found) });
    expect(found.most).toBeLessThanOrEqual(2);
    expect(found.equalShare).toBeGreaterThan(0.9);
  });
}

/** As `tests/browser/fixtures.py` has it. */
const WIDE_COLOUR = [200, 40, 30];

for (const name of ['wide.png', 'wide.jpg', 'wide.webp']) {
  for (const format of ['png', 'jpeg', 'webp'] as const) {
    test(`${name} as ${format}: its colours, their profile and its Exif data are kept`, async ({
      page,
      service,
    }) => {
      const file = fixture(`engine/${name}`);
      const outcome = await call(page, { file, options: upscale({ format, quality: 95 }) });
      expect([outcome.failure, outcome.notes]).toEqual([null, []]);
      // The service finds the same in the result as in the original.
      const form = new FormData();
      form.append('file', new Blob([Uint8Array.from(outcome.bytes)]), 'file');
      form.append('format', 'png');
      const response = await fetch(`${service.url}/api/upscale`, { method: 'POST', body: form });
      const bytes = new Uint8Array(await response.arrayBuffer());
      expect(response.status).toBe(200);
      expect(await profileOf(bytes)).toEqual(await profileOf(new Uint8Array(file)));
      const exif = exifOf(bytes);
      expect(exif === null).toBe(name === 'wide.png');
      if (exif !== null) {
        expect(orientationOf(exif)).toBe(1);
        expect(new TextDecoder().decode(exif)).toContain('2026:11:28 12:00:00');
      }
      expect([outcome.width, outcome.height]).toEqual(name === 'wide.jpg' ? [128, 192] : [192, 128]);
      const { data } = await readPng(bytes);
      const most = Math.max(...WIDE_COLOUR.map((value, k) => Math.abs((data[k] as number) - value)));
      expect(most).toBeLessThanOrEqual(4);
    });
  }
}

test('progress is reported in order, per tile, and a file comes out', async ({ page }) => {
  const { progress, width, height, type, model } = await call(page, {
    file: fixture('engine/large.png'),
    options: upscale({ format: 'webp' }),
  });
  expect([width, height, type, model]).toEqual([920, 856, 'image/webp', 'pixelmend-x4']);
  const fractions = progress.map((now) => now.fraction);
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  expect(fractions[0]).toBe(0);
  const tiles = progress.filter((now) => now.stage === 'computing');
  expect(tiles.map((now) => now.done)).toEqual([0, 1, 2, 3, 4]);
  expect(progress.at(-1)?.stage).toBe('encoding');
});

test('an abort ends it within a tile, and the next one is done all the same', async ({ page }) => {
  const file = fixture('engine/large.png');
  const aborted = await call(page, { file, options: upscale(), abortAfterTiles: 1 });
  expect(aborted.failure?.name).toBe('AbortError');
  expect(aborted.progress.at(-1)?.done).toBe(1);
  await expect.poll(() => page.workers().length).toBe(0);
  const next = await call(page, { file: fixture('engine/small.png'), options: upscale() });
  expect(next.failure).toBeNull();
});

test('several at once are done one after another', async ({ page }) => {
  const file = fixture('engine/small.png');
  const calls = [1, 2, 3].map(() => call(page, { file, options: upscale() }));
  const outcomes = await Promise.all(calls);
  expect(outcomes.map((outcome) => outcome.failure)).toEqual([null, null, null]);
  expect(outcomes[2]?.progress[0]?.stage).toBe('queued');
  expect(page.workers().length).toBeLessThanOrEqual(1 + 2); // the engine's, and its threads
});

test('an image is inpainted and upscaled in one go', async ({ page }) => {
  const file = fixture('fill/photo-2.png');
  const mask = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(96, 96);
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.fillRect(0, 0, 96, 96);
    context.fillStyle = '#fff';
    context.fillRect(34, 30, 20, 24);
    return Array.from(new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer()));
  });
  const then = { model: null, target: { kind: 'scale', factor: 4 }, ...UNTURNED } as const;
  const alone = await call(page, { file, mask: Uint8Array.from(mask), options: inpaint() });
  const both = await call(page, {
    file,
    mask: Uint8Array.from(mask),
    options: inpaint({ thenUpscale: then }),
  });
  expect([alone.failure, both.failure]).toEqual([null, null]);
  expect([alone.width, alone.model, both.width, both.model]).toEqual([
    96,
    'pixelmend-fill',
    384,
    'pixelmend-x4',
  ]);
  const before = await readPng(new Uint8Array(file));
  const after = await readPng(Uint8Array.from(alone.bytes));
  let [outside, inside] = [0, 0];
  after.data.forEach((value, i) => {
    const [x, y] = [Math.floor(i / 3) % 96, Math.floor(i / 288)];
    if (value === before.data[i]) return;
    if (x < 30 || x >= 58 || y < 26 || y >= 58) outside += 1;
    else inside += 1;
  });
  expect(outside).toBe(0);
  expect(inside).toBeGreaterThan(500);
});

test('a turned JPEG comes out upright, and its Exif data say so', async ({ page }) => {
  const plain = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(48, 32);
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.fillStyle = '#c00';
    context.fillRect(0, 0, 24, 32);
    return Array.from(
      new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer()),
    );
  });
  // With orientation 6, the left side of the stored image is shown at the top.
  const exif = Buffer.from(
    '457869660000' + '4d4d002a00000008' + '0001' + '011200030000000100060000' + '00000000',
    'hex',
  );
  const segment = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  const file = Buffer.concat([Buffer.from(plain.slice(0, 2)), segment, exif, Buffer.from(plain.slice(2))]);
  const outcome = await call(page, { file, options: upscale() });
  expect([outcome.failure, outcome.width, outcome.height]).toEqual([null, 128, 192]);
  expect(outcome.notes).toEqual([]);
  const kept = exifOf(Uint8Array.from(outcome.bytes));
  expect(kept?.length).toBe(exif.length - 'Exif..'.length);
  expect(kept && orientationOf(kept)).toBe(1);
  const { data, channels } = await readPng(Uint8Array.from(outcome.bytes));
  const red = (x: number, y: number) => data[(y * 128 + x) * channels];
  expect(red(64, 20)).toBeGreaterThan(150);
  expect(red(64, 170)).toBeLessThan(50);
});

test('each refusal has its code', async ({ page }) => {
  const file = fixture('engine/small.png');
  const codes = [
    await call(page, { file, options: upscale({ model: 'big-lama' }) }),
    await call(page, { file, options: upscale({ format: 'tiff' }) }),
    await call(page, { file, options: upscale({ denoise: 2 }) }),
    await call(page, { file: file.subarray(0, 900), options: upscale() }),
    await call(page, { file: Buffer.from('no image'), options: upscale() }),
  ].map((outcome) => outcome.failure?.code);
  expect(codes).toEqual(['model-unavailable', 'format-unavailable', 'refused', 'undecodable', 'undecodable']);
});

test('with its files fetched ahead, the engine works when the service is gone', async ({ page, service }) => {
  await page.evaluate(() => window.engine.prefetchEngine());
  const asked: string[] = [];
  await page.context().setOffline(true);
  page.on('requestfailed', (request) => asked.push(request.url()));
  const outcome = await call(page, { file: fixture('engine/small.png'), options: upscale() });
  await page.context().setOffline(false);
  expect(asked.filter((url) => url.startsWith(service.url))).toEqual([]);
  expect(outcome.failure).toBeNull();
});
