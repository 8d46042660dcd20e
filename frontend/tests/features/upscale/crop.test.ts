import { expect, test } from 'vitest';
import { cropAround } from '../../../src/features/upscale/crop';

test('a crop stays inside the image, and is smaller only if the image is', () => {
  const image = { widthPx: 100, heightPx: 60 };
  expect(cropAround({ x: 99, y: 0 }, 40, image)).toEqual({
    x: { start: 60, stop: 100 },
    y: { start: 0, stop: 40 },
  });
  expect(cropAround({ x: 50, y: 30 }, 80, image)).toEqual({
    x: { start: 10, stop: 90 },
    y: { start: 0, stop: 60 },
  });
});
