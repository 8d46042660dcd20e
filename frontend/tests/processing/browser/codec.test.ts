import { expect, test } from 'vitest';
import { toRgba } from '../../../src/processing/browser/codec/canvasWriter';
import { readPng } from '../../../src/imaging/png/reader';
import { PngWriter } from '../../../src/imaging/png/writer';
import { bleedColour } from '../../../src/processing/browser/alpha';
import { newPixels } from '../../../src/imaging/pixels';
import { bytesOf, json, type FillCases } from './fixtures';

async function bytesIn(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}

test.each([1, 2, 3, 4] as const)('a PNG of %i channels comes back as it was, in bands', async (channels) => {
  const image = newPixels({ widthPx: 37, heightPx: 29 }, channels);
  image.data.forEach((_, i) => (image.data[i] = (i * i) % 256));
  const writer = new PngWriter(image, channels);
  const rowBytes = 37 * channels;
  for (const [from, to] of [
    [0, 5],
    [5, 6],
    [6, 29],
  ] as const) {
    await writer.write(image.data.slice(from * rowBytes, to * rowBytes));
  }
  const blob = await writer.finish();
  expect(blob.type).toBe('image/png');
  expect(await readPng(await bytesIn(blob))).toEqual(image);
});

test('a file with rows missing is not finished', async () => {
  const writer = new PngWriter({ widthPx: 4, heightPx: 3 }, 1);
  await writer.write(new Uint8ClampedArray(8));
  await expect(writer.finish()).rejects.toThrow('2 rows were written of 3');
});

test('what is cut off or damaged is said to be', async () => {
  const bytes = bytesOf('engine/small.png');
  await expect(readPng(bytes.slice(0, bytes.length >> 1))).rejects.toMatchObject({ code: 'undecodable' });
  const broken = bytes.slice();
  broken.fill(7, 60, 90);
  await expect(readPng(broken)).rejects.toMatchObject({ code: 'undecodable' });
});

test('what other encoders write is read: grey, colour, transparency', async () => {
  const shapes = ['grey', 'small', 'transparent'].map(async (name) => {
    const { channels, widthPx } = await readPng(bytesOf(`engine/${name}.png`));
    return [channels, widthPx];
  });
  expect(await Promise.all(shapes)).toEqual([
    [1, 72],
    [3, 72],
    [4, 90],
  ]);
});

test('colour is bled under transparent pixels as the service does it', () => {
  const { size, pixels, bled } = json<FillCases>('fill/cases.json').bleed;
  const image = newPixels({ widthPx: size[0], heightPx: size[1] }, 4);
  image.data.set(pixels);
  const result = bleedColour(image).data;
  expect(Math.max(...result.map((value, i) => Math.abs(value - (bled[i] as number))))).toBeLessThanOrEqual(1);
  expect(image.data).toEqual(Uint8ClampedArray.from(pixels));
});

test('a format without transparency gets a white ground', () => {
  const half = Uint8ClampedArray.of(0, 100, 200, 0, 0, 100, 200, 255);
  expect(toRgba(half, 4, true)).toEqual(Uint8ClampedArray.of(255, 255, 255, 255, 0, 100, 200, 255));
  expect(toRgba(Uint8ClampedArray.of(9, 128), 2, false)).toEqual(Uint8ClampedArray.of(9, 9, 9, 128));
});
