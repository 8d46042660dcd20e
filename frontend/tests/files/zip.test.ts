import { strFromU8, unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { uniqueNames, zipFiles } from '../../src/files/zip';
import { resultName } from '../../src/files/names';
import { formatBytes } from '../../src/lib/format';

test('all files are in the archive, also those of the same name', async () => {
  const zip = await zipFiles([
    { name: 'a.png', blob: new Blob(['one']) },
    { name: 'A.png', blob: new Blob(['two']) },
    { name: 'ü.png', blob: new Blob([]) },
  ]);
  const files = unzipSync(new Uint8Array(await zip.arrayBuffer()));
  expect(Object.keys(files)).toEqual(['a.png', 'A (2).png', 'ü.png']);
  expect(Object.values(files).map((data) => strFromU8(data))).toEqual(['one', 'two', '']);
});

test('a name that was made is not made twice', () => {
  expect(uniqueNames(['a', 'a (2)', 'a', 'a'])).toEqual(['a', 'a (2)', 'a (3)', 'a (4)']);
});

test('names and sizes as people read them', () => {
  const size = { widthPx: 8, heightPx: 6 };
  expect(resultName('photo.old.heic', size, 'image/jpeg')).toBe('photo.old-8x6.jpg');
  expect(resultName('.png', size, 'image/webp')).toBe('image-8x6.webp');
  expect([0, 999, 1000, 999_950, 12_345_678].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.0 MB',
    '12.3 MB',
  ]);
});
