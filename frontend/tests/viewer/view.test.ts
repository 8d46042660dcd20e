import { describe, expect, test } from 'vitest';
import { shortcutName } from '../../src/app/useShortcuts';
import { overlayPixels } from '../../src/features/erase/overlay';
import { fromShare, toShare } from '../../src/features/erase/brush';
import { steppedBrush } from '../../src/features/erase/tools';
import { linePath, niceMost } from '../../src/features/system/plot';
import { cropAround } from '../../src/features/upscale/crop';
import { withMargin } from '../../src/features/viewer/source';
import {
  centred,
  fitView,
  MAX_SCALE,
  pan,
  toImage,
  visiblePart,
  zoomAt,
} from '../../src/features/viewer/view';
import { createMask } from '../../src/mask/mask';

const BOX = { width: 400, height: 300 };
const LARGE = { width: 4000, height: 1000 };

describe('the view', () => {
  test('fits the whole image into the middle', () => {
    expect(fitView(BOX, LARGE)).toEqual({ scale: 0.1, x: 0, y: 100 });
    expect(fitView(BOX, { width: 10, height: 10 }).scale).toBe(4);
  });

  test('zooming keeps the point under the pointer, as long as the image covers the box', () => {
    const view = centred(BOX, LARGE, 1);
    const at = { x: 130, y: 70 };
    const before = toImage(view, at);
    const after = toImage(zoomAt(view, at, 1.7, BOX, LARGE), at);
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
  });

  test('zoom ends at both sides, and the image cannot be lost', () => {
    const view = fitView(BOX, LARGE);
    expect(zoomAt(view, { x: 0, y: 0 }, 1e9, BOX, LARGE).scale).toBe(MAX_SCALE);
    expect(zoomAt(view, { x: 0, y: 0 }, 1e-9, BOX, LARGE).scale).toBeCloseTo(0.05);
    const moved = pan(centred(BOX, LARGE, 1), 1e6, -1e6, BOX, LARGE);
    expect(moved).toEqual({ scale: 1, x: 0, y: 300 - 1000 });
  });

  test('the visible part is within the image', () => {
    expect(visiblePart({ scale: 2, x: -100, y: 20 }, BOX, LARGE)).toEqual({
      x: 50,
      y: 0,
      width: 200,
      height: 140,
    });
    expect(visiblePart({ scale: 1, x: 500, y: 0 }, BOX, LARGE).width).toBe(0);
  });

  test('a part is decoded with a margin, unless that would be too much', () => {
    expect(withMargin({ x: 100, y: 0, width: 200, height: 100 }, LARGE)).toEqual({
      x: 0,
      y: 0,
      width: 400,
      height: 150,
    });
    const huge = { x: 0, y: 0, width: 4000, height: 4000 };
    expect(withMargin(huge, { width: 8000, height: 8000 })).toEqual(huge);
  });
});

test('a crop stays inside the image, and is smaller only where that is', () => {
  const image = { width: 100, height: 60 };
  expect(cropAround({ x: 99, y: 0 }, 40, image)).toEqual({ x: 60, y: 0, width: 40, height: 40 });
  expect(cropAround({ x: 50, y: 30 }, 80, image)).toEqual({ x: 10, y: 0, width: 80, height: 60 });
});

test('the overlay shows exactly the pixels of the mask that are seen', () => {
  const mask = createMask(4, 3);
  mask.data[5] = 255; // x 1, y 1
  const box = { width: 10, height: 8 };
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

test('a plot has a gap where samples are missing', () => {
  const frame = { width: 100, height: 10, fromS: 0, toS: 10, most: 10 };
  const samples = [0, 1, 2, 9, 10].map((timeS) => ({ timeS, value: timeS }));
  const path = linePath([...samples, { timeS: 10, value: null }], frame, 2);
  expect(path).toBe('M0.0 10.0L10.0 9.0L20.0 8.0M90.0 1.0L100.0 0.0');
  expect([0, 0.9, 1, 22.7, 26, 1000].map(niceMost)).toEqual([1, 1, 1, 25, 30, 1000]);
});

test('keys by their names, on any layout', () => {
  const key = (name: string, more: Partial<KeyboardEvent> = {}) =>
    shortcutName({
      key: name,
      code: '',
      ctrlKey: false,
      metaKey: false,
      altKey: false,
      shiftKey: false,
      ...more,
    });
  expect(key('?', { shiftKey: true })).toBe('?');
  expect(key('Z', { ctrlKey: true, shiftKey: true })).toBe('Ctrl+Shift+z');
  expect(key('z', { metaKey: true })).toBe('Ctrl+z');
  expect(key('¡', { code: 'Digit1', altKey: true })).toBe('Alt+1');
});
