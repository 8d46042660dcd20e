import { expect, test } from 'vitest';
import { fromShare, steppedBrush, toShare } from '../../../src/features/inpaint/brush';
import { createMask } from '../../../src/features/inpaint/mask/mask';
import { overlayPixels } from '../../../src/features/inpaint/overlay';

test('the overlay shows exactly the pixels of the mask that are seen', () => {
  const mask = createMask({ widthPx: 4, heightPx: 3 });
  mask.data[5] = 255; // x 1, y 1
  const box = { widthPx: 10, heightPx: 8 };
  const target = new Uint8ClampedArray(10 * 8 * 4);
  overlayPixels(mask, { scale: 2, x: 1, y: 1 }, box, target);
  const seen = Array.from({ length: 80 }, (_, n) => n).filter((n) => (target[n * 4 + 3] ?? 0) > 0);
  expect(seen).toEqual([33, 34, 43, 44]);
});

test('the brush grows and shrinks by a step at every size, within its bounds', () => {
  for (const px of [1, 2, 3, 10, 400]) expect(steppedBrush(px, 1)).toBeGreaterThan(px);
  for (const px of [1000, 400, 10, 3, 2]) expect(steppedBrush(px, -1)).toBeLessThan(px);
  expect([steppedBrush(1, -1), steppedBrush(1000, 1)]).toEqual([1, 1000]);
  for (const px of [1, 7, 40, 1000]) expect(fromShare(toShare(px))).toBe(px);
});
