import { describe, expect, test } from 'vitest';
import { MaskEditor } from '../../../src/features/inpaint/mask/editor';
import { drawPolygon, drawRectangle, drawStroke } from '../../../src/features/inpaint/mask/draw';
import { encodeMask } from '../../../src/features/inpaint/mask/encode';
import { readBand } from '../../../src/features/inpaint/mask/importMask';
import * as ops from '../../../src/features/inpaint/mask/mask';
import { isEmptyRect, type Point, wholeOf } from '../../../src/imaging/geometry';
import { readPng } from '../../../src/imaging/png/reader';

/** The mask that an operation should leave, pixel by pixel. */
function expected(width: number, height: number, isSet: (x: number, y: number) => boolean): number[] {
  return Array.from({ length: width * height }, (_, n) =>
    isSet(n % width, Math.floor(n / width)) ? 255 : 0,
  );
}

/** Numbers that are the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

function distanceToLine(px: number, py: number, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((px - a.x) * dx + (py - a.y) * dy) / length));
  return Math.hypot(px - a.x - share * dx, py - a.y - share * dy);
}

describe('drawing', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'a stroke covers what is within its radius, and nothing else (%i)',
    (seed) => {
      const next = numbers(seed);
      const mask = ops.createMask({ widthPx: 60, heightPx: 50 });
      const point = () => ({ x: next() * 80 - 10, y: next() * 70 - 10 });
      const [a, b, radius] = [point(), seed === 1 ? { x: 20, y: 20 } : point(), next() * 12 + 0.6];
      const from = seed === 1 ? b : a;
      const rect = drawStroke(mask, from, b, radius, 255);
      const off = expected(60, 50, (x, y) => distanceToLine(x + 0.5, y + 0.5, from, b) <= radius);
      const wrong = [...mask.data].filter((value, n) => {
        const edge = Math.abs(distanceToLine((n % 60) + 0.5, Math.floor(n / 60) + 0.5, from, b) - radius);
        return value !== off[n] && edge > 1e-6;
      });
      expect(wrong).toEqual([]);
      expect(ops.boundsOf(mask)).toEqual(rect);
    },
  );

  test('a rectangle, whichever way it is drawn, even beyond the image', () => {
    const mask = ops.createMask({ widthPx: 10, heightPx: 8 });
    drawRectangle(mask, { x: 20, y: 6 }, { x: 7, y: 2 }, 255);
    expect([...mask.data]).toEqual(expected(10, 8, (x, y) => x >= 7 && y >= 2 && y < 6));
  });

  test('a lasso takes what it encloses; if it crosses itself, what is enclosed once', () => {
    const mask = ops.createMask({ widthPx: 20, heightPx: 20 });
    const square = [
      { x: 2, y: 2 },
      { x: 18, y: 2 },
      { x: 18, y: 18 },
      { x: 2, y: 18 },
    ];
    const inner = [
      { x: 6, y: 6 },
      { x: 14, y: 6 },
      { x: 14, y: 14 },
      { x: 6, y: 14 },
    ];
    const [start] = square as [Point];
    const [innerStart] = inner as [Point];
    drawPolygon(mask, [...square, start, innerStart, ...inner.slice(1), innerStart, start], 255);
    const within = (x: number, y: number, low: number, high: number) =>
      x >= low && x < high && y >= low && y < high;
    expect([...mask.data]).toEqual(expected(20, 20, (x, y) => within(x, y, 2, 18) && !within(x, y, 6, 14)));
  });

  test('drawing with 0 removes', () => {
    const mask = ops.createMask({ widthPx: 9, heightPx: 9 });
    ops.invert(mask);
    drawStroke(mask, { x: 4.5, y: 4.5 }, { x: 4.5, y: 4.5 }, 1.2, 0);
    expect(mask.data.filter((value) => value === 0)).toHaveLength(5);
  });
});

describe('as a whole', () => {
  test.each([1, 2, 3])(
    'growing adds all within the distance, shrinking is the same of what is not set (%i)',
    (seed) => {
      const next = numbers(seed);
      const mask = ops.createMask({ widthPx: 40, heightPx: 30 });
      for (let n = 0; n < 12; n += 1) mask.data[Math.floor(next() * 1200)] = 255;
      const before = [...mask.data];
      const px = 1 + Math.floor(next() * 6);
      const near = (values: number[], x: number, y: number, wanted: number) =>
        values.some((value, n) => value === wanted && Math.hypot((n % 40) - x, Math.floor(n / 40) - y) <= px);
      ops.grow(mask, px);
      expect([...mask.data]).toEqual(expected(40, 30, (x, y) => near(before, x, y, 255)));
      const grown = [...mask.data];
      ops.shrink(mask, px);
      expect([...mask.data]).toEqual(expected(40, 30, (x, y) => !near(grown, x, y, 0)));
    },
  );

  test('full, empty, inverted', () => {
    const mask = ops.createMask({ widthPx: 3, heightPx: 2 });
    expect([ops.isEmpty(mask), ops.isFull(mask), isEmptyRect(ops.boundsOf(mask))]).toEqual([
      true,
      false,
      true,
    ]);
    ops.invert(mask);
    expect([ops.isEmpty(mask), ops.isFull(mask)]).toEqual([false, true]);
    expect(ops.boundsOf(mask)).toEqual(wholeOf(mask));
  });
});

describe('history', () => {
  test('undo and redo restore each state exactly, after any sequence of steps', () => {
    const next = numbers(7);
    const editor = new MaskEditor({ widthPx: 37, heightPx: 23 });
    const point = () => ({ x: next() * 37, y: next() * 23 });
    const states = [[...editor.mask.data]];
    for (let n = 0; n < 20; n += 1) {
      const kind = Math.floor(next() * 4);
      const value = next() < 0.6 ? 255 : 0;
      if (kind === 0) editor.apply((mask) => drawStroke(mask, point(), point(), next() * 5 + 0.5, value));
      if (kind === 1) editor.apply((mask) => drawRectangle(mask, point(), point(), value));
      if (kind === 2) editor.apply((mask) => drawPolygon(mask, [point(), point(), point()], value));
      if (kind === 3) editor.apply(ops.invert);
      const now = [...editor.mask.data];
      if (now.some((one, at) => one !== states.at(-1)?.[at])) states.push(now);
    }
    expect(states.length).toBeGreaterThan(10);
    for (let n = states.length - 2; n >= 0; n -= 1) {
      editor.undo();
      expect([...editor.mask.data]).toEqual(states[n]);
    }
    expect(editor.canUndo).toBe(false);
    for (const state of states.slice(1)) {
      editor.redo();
      expect([...editor.mask.data]).toEqual(state);
    }
    expect(editor.canRedo).toBe(false);
  });

  test('a new step after an undo ends what could be redone; one that changes nothing is no step', () => {
    const editor = new MaskEditor({ widthPx: 4, heightPx: 4 });
    editor.apply(ops.invert);
    editor.undo();
    editor.apply((mask) => drawRectangle(mask, { x: 0, y: 0 }, { x: 4, y: 4 }, 0));
    expect([editor.canUndo, editor.canRedo]).toEqual([false, true]);
    editor.apply((mask) => drawRectangle(mask, { x: 0, y: 0 }, { x: 1, y: 1 }, 255));
    expect([editor.canUndo, editor.canRedo]).toEqual([true, false]);
  });

  test('a stroke that turned out to be a pinch leaves nothing, and nothing to redo', () => {
    const editor = new MaskEditor({ widthPx: 8, heightPx: 8 });
    editor.apply((mask) => drawRectangle(mask, { x: 0, y: 0 }, { x: 2, y: 2 }, 255));
    const before = [...editor.mask.data];
    editor.draw((mask) => drawStroke(mask, { x: 1, y: 1 }, { x: 6, y: 6 }, 2, 255));
    editor.rollBack();
    expect([...editor.mask.data]).toEqual(before);
    expect([editor.canUndo, editor.canRedo]).toEqual([true, false]);
  });
});

describe('files', () => {
  test('a mask comes back from its PNG as it was, in one grey channel', async () => {
    const mask = ops.createMask({ widthPx: 5, heightPx: 600 });
    drawRectangle(mask, { x: 1, y: 250 }, { x: 4, y: 599 }, 255);
    const blob = await encodeMask(mask);
    expect(blob.type).toBe('image/png');
    const { widthPx, heightPx, channels, data } = await readPng(new Uint8Array(await blob.arrayBuffer()));
    expect([widthPx, heightPx, channels]).toEqual([5, 600, 1]);
    expect([...data]).toEqual([...mask.data]);
  });

  test('an imported mask: light is set, dark and transparent are not', () => {
    const target = new Uint8Array(4);
    readBand(
      Uint8ClampedArray.of(255, 255, 255, 255, 127, 127, 127, 255, 0, 255, 0, 255, 255, 255, 255, 0),
      target,
    );
    expect([...target]).toEqual([255, 0, 255, 0]);
  });
});
