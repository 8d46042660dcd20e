/** Colour profiles: read from files that Pillow wrote, put into files that have none, and found there again. */

import { expect, test } from 'vitest';
import { hasOtherColours } from '../../../src/imaging/headers/png';
import { readWebpHeader, webpFlags } from '../../../src/imaging/headers/webp';
import { pngChunk } from '../../../src/imaging/png/chunk';
import { readPng } from '../../../src/imaging/png/reader';
import { PngWriter } from '../../../src/imaging/png/writer';
import { fitsChannels, profileOf } from '../../../src/imaging/profile/reader';
import { withProfile } from '../../../src/imaging/profile/writer';
import { bytesOf } from './fixtures';

type Bytes = Uint8Array<ArrayBuffer>;

const FILES = ['wide.png', 'wide.jpg', 'wide.webp'];

async function bytesIn(blob: Blob): Promise<Bytes> {
  return new Uint8Array(await blob.arrayBuffer());
}

async function wide(): Promise<Bytes> {
  const profile = await profileOf(bytesOf('engine/wide.png'));
  if (profile === null) throw new Error('the file has no profile');
  return profile;
}

test.each(FILES)('the profile of %s', async (name) => {
  const profile = await profileOf(bytesOf(`engine/${name}`));
  expect(profile).toEqual(await wide());
  expect([1, 2, 3, 4].map((n) => fitsChannels(profile as Bytes, n as 1))).toEqual([false, false, true, true]);
});

test('files without a profile, and with a damaged one', async () => {
  expect(await profileOf(bytesOf('engine/small.png'))).toBeNull();
  for (const name of FILES) {
    const bytes = bytesOf(`engine/${name}`);
    expect(await profileOf(bytes.slice(0, 200))).toBeNull();
    bytes.fill(7, 60, 120);
    expect(await profileOf(bytes)).toBeNull();
  }
});

test('a PNG with a profile has the same pixels', async () => {
  const file = new Blob([bytesOf('engine/small.png')], { type: 'image/png' });
  const made = await bytesIn(await withProfile(file, await wide()));
  expect(await profileOf(made)).toEqual(await wide());
  expect(await readPng(made)).toEqual(await readPng(bytesOf('engine/small.png')));
});

test('a profile that an encoder has written goes', async () => {
  const other = await wide();
  other.fill(3, 140);
  for (const [name, type] of [
    ['wide.jpg', 'image/jpeg'],
    ['wide.webp', 'image/webp'],
  ] as const) {
    const file = new Blob([bytesOf(`engine/${name}`)], { type });
    const made = await bytesIn(await withProfile(file, other));
    expect(await profileOf(made)).toEqual(other);
    expect(made.length).toBe(file.size);
  }
});

test('a profile longer than a segment is divided, behind the segment of JFIF', async () => {
  const long = new Uint8Array(150_000);
  long.set(await wide());
  new DataView(long.buffer).setUint32(0, long.length);
  long.forEach((_, n) => n > 2000 && (long[n] = n % 251));
  const start = [0xff, 0xd8, 0xff, 0xe0, 0, 16, ...new Array<number>(14).fill(1), 0xff, 0xdb, 0, 3, 5];
  const made = await bytesIn(
    await withProfile(new Blob([Uint8Array.from(start)], { type: 'image/jpeg' }), long),
  );
  expect(await profileOf(made)).toEqual(long);
  expect([...made.slice(0, 20)]).toEqual(start.slice(0, 20));
  expect([...made.slice(-5)]).toEqual(start.slice(-5));
});

test.each([
  ['lossy', [...'VP8 '], [0, 0, 0, 0x9d, 0x01, 0x2a, 100, 0, 60, 0], 0],
  ['lossless', [...'VP8L'], [0x2f, 99, 0xc0, 0x0e, 0, 0, 0, 0, 0, 0], 0],
  ['lossless with alpha', [...'VP8L'], [0x2f, 99, 0xc0, 0x0e, 0x10, 0, 0, 0, 0, 0], 0x10],
  ['extended', [...'VP8X'], [0x10, 0, 0, 0, 99, 0, 0, 59, 0, 0], 0x10],
])('a WebP: %s', async (_, kind, body, flags) => {
  const letters = (text: string[]) => text.map((letter) => letter.charCodeAt(0));
  const file = [...letters([...'RIFF']), 22, 0, 0, 0, ...letters([...'WEBP', ...kind]), 10, 0, 0, 0, ...body];
  const blob = new Blob([Uint8Array.from(file)], { type: 'image/webp' });
  const made = await bytesIn(await withProfile(blob, await wide()));
  expect(await profileOf(made)).toEqual(await wide());
  expect(readWebpHeader(made)).toEqual({
    format: 'webp',
    widthPx: 100,
    heightPx: 60,
    isAnimated: false,
    isComplete: true,
  });
  expect(webpFlags(made)).toBe(flags | 0x20);
  expect(new DataView(made.buffer).getUint32(4, true)).toBe(made.length - 8);
});

test('what a PNG says of its colours besides a profile', async () => {
  const writer = new PngWriter({ widthPx: 1, heightPx: 1 }, 1);
  await writer.write(Uint8ClampedArray.of(9));
  const plain = await bytesIn(await writer.finish());
  const told = async (...chunks: [string, number[]][]) => {
    const parts = chunks.flatMap(([kind, body]) => pngChunk(kind, [Uint8Array.from(body)]));
    return hasOtherColours(await bytesIn(new Blob([plain.slice(0, 33), ...parts, plain.slice(33)])));
  };
  const words = (...values: number[]) =>
    values.flatMap((value) => [0, value >> 16, (value >> 8) & 255, value & 255]);
  const srgb = words(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000);
  const wideGreen = words(31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000);
  expect(hasOtherColours(plain)).toBe(false);
  expect(await told(['cICP', [1, 13, 0, 1]])).toBe(false);
  expect(await told(['cICP', [12, 13, 0, 1]])).toBe(true);
  expect(await told(['cICP', [9, 16, 0, 1]], ['sRGB', [0]])).toBe(true);
  expect(await told(['gAMA', words(45455)], ['cHRM', srgb])).toBe(false);
  expect(await told(['gAMA', words(100_000)])).toBe(true);
  expect(await told(['gAMA', words(45455)], ['cHRM', wideGreen])).toBe(true);
  expect(await told(['gAMA', words(100_000)], ['sRGB', [0]])).toBe(false);
  expect(await told(['gAMA', []], ['cHRM', [1]], ['cICP', [12]])).toBe(false);
});
