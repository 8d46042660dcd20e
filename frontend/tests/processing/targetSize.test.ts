import { expect, test } from 'vitest';
import { targetSize } from '../../src/processing/targetSize';

test('a side that follows is rounded as the service rounds it, halves to the even', () => {
  const size = { widthPx: 5, heightPx: 3 };
  expect(targetSize(size, { kind: 'scale', factor: 1.5 })).toEqual({ widthPx: 8, heightPx: 4 });
  expect(targetSize(size, { kind: 'size', widthPx: null, heightPx: 9 })).toEqual({
    widthPx: 15,
    heightPx: 9,
  });
  expect(targetSize(size, { kind: 'size', widthPx: 7, heightPx: 20 })).toEqual({ widthPx: 7, heightPx: 20 });
});
