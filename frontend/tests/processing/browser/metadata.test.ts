/** Profiles and Exif blocks: read from files that Pillow wrote, put into files that have none, and found there again. */

import { expect, test } from 'vitest';
import { hasOtherColours } from '../../../src/imaging/headers/png';
import { orientationOf, uprightExif } from '../../../src/imaging/headers/exif';
import { isJpeg, jpegSegments } from '../../../src/imaging/headers/jpeg';
import { isWebp, readWebpHeader, webpChunks, webpFlags } from '../../../src/imaging/headers/webp';
import { exifOf } from '../../../src/imaging/metadata/exif';
import { extrasOf, hasProfileBlock } from '../../../src/imaging/metadata/extras';
import { pngChunk } from '../../../src/imaging/png/chunk';
import { readPng } from '../../../src/imaging/png/reader';
import { PngWriter } from '../../../src/imaging/png/writer';
import { fitsChannels, profileOf } from '../../../src/imaging/metadata/profile';
import { holdsExif, withMetadata } from '../../../src/imaging/metadata/writer';
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
    expect(await profileOf(bytes.slice(0, 250))).toBeNull();
    const letters = new TextDecoder('latin1').decode(bytes);
    const signature = letters.indexOf('acsp');
    if (name === 'wide.png') bytes.fill(7, 60, 120);
    else bytes.fill(7, signature, signature + 4);
    expect(await profileOf(bytes)).toBeNull();
  }
});

test('a PNG with a profile has the same pixels', async () => {
  const file = new Blob([bytesOf('engine/small.png')], { type: 'image/png' });
  const made = await bytesIn(await withMetadata(file, { profile: await wide(), exif: null }));
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
    const made = await bytesIn(await withMetadata(file, { profile: other, exif: null }));
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
    await withMetadata(new Blob([Uint8Array.from(start)], { type: 'image/jpeg' }), {
      profile: long,
      exif: null,
    }),
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
  const made = await bytesIn(await withMetadata(blob, { profile: await wide(), exif: null }));
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

/** Values of the block's directories by their tags, of those that stand in the entries themselves. */
function valuesOf(block: Uint8Array): Map<number, number> {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const isLittle = block[0] === 'I'.charCodeAt(0);
  const found = new Map<number, number>();
  const read = (at: number) => {
    const count = view.getUint16(at, isLittle);
    for (let entry = at + 2; entry < at + 2 + 12 * count; entry += 12) {
      const isShort = view.getUint16(entry + 2, isLittle) === 3;
      const value = isShort ? view.getUint16(entry + 8, isLittle) : view.getUint32(entry + 8, isLittle);
      const tag = view.getUint16(entry, isLittle);
      found.set(tag, value);
      if (tag === 0x8769) read(value);
    }
    if (at === view.getUint32(4, isLittle)) found.set(0, view.getUint32(at + 2 + 12 * count, isLittle));
  };
  read(view.getUint32(4, isLittle));
  return found;
}

test.each([
  ['wide.jpg', 6],
  ['wide.webp', 1],
])('the Exif block of %s, for the upright picture', (name, orientation) => {
  const block = exifOf(bytesOf(`engine/${name}`)) as Uint8Array;
  expect(orientationOf(block)).toBe(orientation);
  const upright = uprightExif(block, { widthPx: 128, heightPx: 192 });
  expect(orientationOf(upright)).toBe(1);
  const [before, after] = [valuesOf(block), valuesOf(upright)];
  expect([before.get(0xa002), before.get(0xa003)]).toEqual([48, 32]);
  expect([after.get(0xa002), after.get(0xa003)]).toEqual([128, 192]);
  expect(new TextDecoder().decode(upright)).toContain('2026:11:28 12:00:00');
  expect(upright.length).toBe(block.length);
});

/** Orientation 8 as a short, and a second directory, which would be a thumbnail's. */
const BIG_ENDIAN = Uint8Array.from([
  ...[0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8],
  ...[0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0, 0, 26],
  ...[0, 0, 0, 0, 0, 0],
]);

test('a thumbnail goes, and a damaged block is no error', () => {
  expect(orientationOf(BIG_ENDIAN)).toBe(8);
  const upright = uprightExif(BIG_ENDIAN, { widthPx: 1, heightPx: 1 });
  expect([valuesOf(upright).get(0x0112), valuesOf(upright).get(0)]).toEqual([1, 0]);
  for (let length = 0; length < BIG_ENDIAN.length; length += 1) {
    const cut = BIG_ENDIAN.slice(0, length);
    expect(uprightExif(cut, { widthPx: 1, heightPx: 1 }).length).toBe(length);
  }
});

test.each([
  ['image/png', 'engine/small.png'],
  ['image/jpeg', 'engine/wide.jpg'],
  ['image/webp', 'engine/wide.webp'],
])('an Exif block is found where it was put: %s', async (type, name) => {
  // The parts of the file that hold no metadata, as an encoder writes it.
  const plain = new Blob([stripped(bytesOf(name))], { type });
  expect(exifOf(await bytesIn(plain))).toBeNull();
  for (const profile of [null, await wide()]) {
    const made = await bytesIn(await withMetadata(plain, { profile, exif: BIG_ENDIAN }));
    expect(exifOf(made)).toEqual(BIG_ENDIAN);
    expect(await profileOf(made)).toEqual(profile);
  }
  expect(holdsExif(type, new Uint8Array(70_000))).toBe(type !== 'image/jpeg');
});

function stripped(bytes: Bytes): Bytes {
  if (isJpeg(bytes)) {
    const last = [...jpegSegments(bytes)].filter(({ marker }) => marker === 0xe1 || marker === 0xe2).pop();
    const end = (last?.body.byteOffset ?? 2) + (last?.body.length ?? 0);
    return Uint8Array.from([0xff, 0xd8, ...bytes.subarray(end)]);
  }
  if (!isWebp(bytes)) return bytes;
  const pixels = webpChunks(bytes).find(({ kind }) => kind.startsWith('VP8 ') || kind === 'VP8L');
  const from = (pixels?.body.byteOffset ?? 0) - 8;
  const length = pixels?.body.length ?? 0;
  const to = from + 8 + length + (length % 2);
  const head = bytes.slice(0, 12);
  new DataView(head.buffer).setUint32(4, 4 + to - from, true);
  return Uint8Array.from([...head, ...bytes.subarray(from, to)]);
}

function latin1(letters: string): Bytes {
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

function jpegWith(marker: number, text: string): Bytes {
  const file = bytesOf('engine/wide.jpg');
  const length = text.length + 2;
  const head = Uint8Array.of(0xff, marker, length >> 8, length & 0xff);
  return Uint8Array.of(...file.slice(0, 2), ...head, ...latin1(text), ...file.slice(2));
}

function pngWith(kind: string, text: string): Bytes {
  const file = bytesOf('engine/wide.png');
  const chunk = pngChunk(kind, [latin1(text)]).flatMap((part) => [...part]);
  return Uint8Array.of(...file.slice(0, 33), ...chunk, ...file.slice(33));
}

test('what is kept is no extra', () => {
  for (const name of FILES) {
    expect(extrasOf(bytesOf(`engine/${name}`))).toEqual([]);
    expect(hasProfileBlock(bytesOf(`engine/${name}`))).toBe(true);
  }
  expect(hasProfileBlock(bytesOf('engine/small.png'))).toBe(false);
  expect(extrasOf(latin1('a file of another kind'))).toEqual([]);
});

test.each([
  [0xfe, 'by a camera', 'comment'],
  [0xe1, 'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>', 'xmp'],
  [0xe1, 'http://ns.adobe.com/xmp/extension/\0...', 'extended-xmp'],
  [0xe2, 'MPF\0...', 'further-images'],
  [0xe2, 'urn:iso:std:iso:ts:21496:-1\0', 'gain-map'],
  [0xeb, 'JP...', 'c2pa'],
  [0xed, 'Photoshop 3.0\x008BIM\x04\x04...', 'iptc'],
  [0xed, 'Photoshop 3.0\x008BIM\x03\xed...', 'photoshop'],
  [0xe5, 'something else', 'app-data'],
])('what a JPEG has more: %i %s', (marker, text, name) => {
  expect(extrasOf(jpegWith(marker, text))).toEqual([name]);
});

test.each([
  ['iTXt', 'XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta/>', 'xmp'],
  ['tEXt', 'Title\0a picture', 'text'],
  ['caBX', 'jumb', 'c2pa'],
])('what a PNG has more: %s %s', (kind, text, name) => {
  expect(extrasOf(pngWith(kind, text))).toEqual([name]);
});

test('what a WebP has more', () => {
  const file = bytesOf('engine/wide.webp');
  const chunk = Uint8Array.of(...latin1('XMP '), 4, 0, 0, 0, ...latin1('<x/>'));
  expect(extrasOf(Uint8Array.of(...file, ...chunk))).toEqual(['xmp']);
});
