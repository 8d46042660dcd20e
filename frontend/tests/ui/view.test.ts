import { describe, expect, test } from 'vitest';
import { isEmptyRect, type Rect } from '../../src/imaging/geometry';
import { withMargin } from '../../src/ui/viewer/source';
import { shortcutName } from '../../src/ui/useShortcuts';
import { centred, fitView, MAX_SCALE, pan, toImage, visiblePart, zoomAt } from '../../src/ui/viewer/view';

const BOX = { widthPx: 400, heightPx: 300 };
const LARGE = { widthPx: 4000, heightPx: 1000 };

function rect(left: number, top: number, right: number, bottom: number): Rect {
  return { x: { start: left, stop: right }, y: { start: top, stop: bottom } };
}

describe('the view', () => {
  test('fits the whole image into the middle', () => {
    expect(fitView(BOX, LARGE)).toEqual({ scale: 0.1, x: 0, y: 100 });
    expect(fitView(BOX, { widthPx: 10, heightPx: 10 }).scale).toBe(4);
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
    expect(visiblePart({ scale: 2, x: -100, y: 20 }, BOX, LARGE)).toEqual(rect(50, 0, 250, 140));
    expect(isEmptyRect(visiblePart({ scale: 1, x: 500, y: 0 }, BOX, LARGE))).toBe(true);
  });

  test('a part is decoded with a margin, unless that would be too much', () => {
    expect(withMargin(rect(100, 0, 300, 100), LARGE)).toEqual(rect(0, 0, 400, 150));
    const huge = rect(0, 0, 4000, 4000);
    expect(withMargin(huge, { widthPx: 8000, heightPx: 8000 })).toEqual(huge);
  });
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
