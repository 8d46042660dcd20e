import { expect, test } from 'vitest';
import { readPng } from '../../../src/imaging/png/reader';
import { inpaint } from '../../../src/processing/browser/inpaint/inpaint';
import { feather, grow, holeFromMask } from '../../../src/processing/browser/inpaint/mask';
import { structures } from '../../../src/processing/browser/fill/crop';
import { distanceTo } from '../../../src/processing/browser/fill/distance';
import { fill } from '../../../src/processing/browser/fill/fill';
import { planHoles, type Crop } from '../../../src/processing/browser/fill/holes';
import { newBitMask, newPlane, type BitMask } from '../../../src/processing/browser/fill/planes';
import { levelsOf } from '../../../src/processing/browser/fill/pyramid';
import { newPixels, type Pixels } from '../../../src/imaging/pixels';
import { bytesOf, json, maskOf, type FillCases } from './fixtures';

const CASES = json<FillCases>('fill/cases.json');
const quiet = () => undefined;

function box(): BitMask {
  return painted(96, 96, [[34, 30, 60, 64]]);
}

function wave(): BitMask {
  const hole = newBitMask({ widthPx: 96, heightPx: 96 });
  hole.data.forEach((_, i) => {
    const x = i % 96;
    hole.data[i] = Math.abs((i - x) / 96 - 48 - 20 * Math.sin(x / 14)) < 9 ? 1 : 0;
  });
  return hole;
}

function painted(widthPx: number, heightPx: number, rects: readonly number[][]): BitMask {
  const hole = newBitMask({ widthPx, heightPx });
  for (const [left = 0, top = 0, right = 0, bottom = 0] of rects) {
    for (let y = top; y < bottom; y += 1) hole.data.fill(1, y * widthPx + left, y * widthPx + right);
  }
  return hole;
}

function broken(image: Pixels, hole: BitMask): Pixels {
  const { channels } = image;
  return {
    ...image,
    data: image.data.map((value, i) => (hole.data[Math.floor(i / channels)] === 1 ? 0 : value)),
  };
}

function psnrDb(a: Pixels, b: Pixels, hole: BitMask): number {
  let sum = 0;
  let count = 0;
  a.data.forEach((value, i) => {
    if (hole.data[Math.floor(i / a.channels)] === 0) return;
    sum += (value - (b.data[i] as number)) ** 2;
    count += 1;
  });
  return 10 * Math.log10((255 ** 2 * count) / sum);
}

test('holes are filled as likely as by the service, and nothing else changes', async () => {
  const holes = { box: box(), wave: wave() };
  const ours: number[] = [];
  for (const { photo, hole: name } of CASES.psnr) {
    const whole = await readPng(bytesOf(`fill/${photo}`));
    const hole = holes[name];
    const given = broken(whole, hole);
    const filled = fill(given, hole, quiet);
    expect(broken(filled, hole).data).toEqual(given.data);
    ours.push(psnrDb(whole, filled, hole));
  }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(ours)).toBeGreaterThan(mean(CASES.psnr.map((one) => one.psnrDb)) - 0.5);
}, 120_000);

test('the same arguments give the same result', async () => {
  const image = broken(await readPng(bytesOf('fill/photo-2.png')), box());
  expect(fill(image, box(), quiet).data).toEqual(fill(image, box(), quiet).data);
}, 60_000);

test('flat colour stays flat, and a hole at the edge is a hole', () => {
  const flat = newPixels({ widthPx: 70, heightPx: 50 }, 3);
  flat.data.forEach((_, i) => (flat.data[i] = [10, 120, 240][i % 3] as number));
  const hole = painted(70, 50, [
    [40, 0, 70, 31],
    [0, 49, 2, 50],
  ]);
  expect(fill(broken(flat, hole), hole, quiet).data).toEqual(flat.data);
});

test('what is too large is divided, guided by a coarser filling', () => {
  const ramp = newPixels({ widthPx: 200, heightPx: 120 }, 1);
  ramp.data.forEach((_, i) => (ramp.data[i] = (i % 200) + 20));
  const hole = painted(200, 120, [[30, 30, 170, 90]]);
  const reported: number[] = [];
  const filled = fill(broken(ramp, hole), hole, (done) => reported.push(done), 64);
  expect(Math.max(...filled.data.map((value, i) => Math.abs(value - (ramp.data[i] as number))))).toBeLessThan(
    12,
  );
  expect(reported.length).toBe(4);
  expect(reported.at(-1)).toBe(140 * 60);
}, 60_000);

test('distances are the service’s', () => {
  const { limitPx, hole, squared } = CASES.distance;
  const found = distanceTo(maskOf(hole), limitPx);
  expect(Array.from(found, (value) => (value === Infinity ? -1 : Math.round(value ** 2)))).toEqual(squared);
});

test('growing and feathering are the service’s', () => {
  const { hole, growPx, grown, featherPx, weights } = CASES.margins;
  expect(grow(maskOf(hole), growPx).data).toEqual(maskOf(grown).data);
  const found = feather(maskOf(hole), featherPx);
  expect(Math.max(...found.map((value, i) => Math.abs(value - (weights[i] as number))))).toBeLessThan(1e-4);
});

test('plans of holes are the service’s', () => {
  const { size, rects, plans } = CASES.holes;
  const hole = painted(...size, rects);
  const flat = ({ own, window }: Crop) =>
    [own.x, own.y, window.x, window.y].flatMap((span) => [span.start, span.stop]);
  for (const [largestPx, wanted] of Object.entries(plans)) {
    const found = planHoles(hole, Number(largestPx)).map(({ contextPx, bounds, crops }) => ({
      contextPx,
      bounds: flat(bounds),
      crops: crops.map(flat),
    }));
    expect(found).toEqual(wanted);
  }
});

test('structure is the service’s', () => {
  const { pixels, size, hole, filled } = CASES.structure;
  const gap = maskOf(hole);
  const plane = newPlane({ widthPx: size[0], heightPx: size[1] }, 3);
  plane.data.set(pixels.map((value, i) => (gap.data[Math.floor(i / 3)] === 1 ? 0 : value)));
  const found = structures(levelsOf(plane, gap), null)[0]?.data ?? new Float32Array();
  const differences = found.map((value, i) => Math.abs(value - (filled[i] as number)));
  // A coefficient that is at the threshold to the last bit may fall on either side of it.
  expect(Math.max(...differences)).toBeLessThan(1);
  expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.02);
});

test('masks are read as the service reads them', () => {
  const image = { widthPx: 4, heightPx: 1 };
  const grey = { ...image, channels: 1 as const, data: Uint8ClampedArray.of(127, 128, 0, 255) };
  expect(Array.from(holeFromMask(grey, image).data)).toEqual([0, 1, 0, 1]);
  const clear = {
    ...image,
    channels: 2 as const,
    data: Uint8ClampedArray.of(255, 0, 255, 200, 0, 127, 0, 255),
  };
  expect(Array.from(holeFromMask(clear, image).data)).toEqual([1, 0, 1, 0]);
  // In a mask of another size and the same shape, a thin stroke survives.
  const wide = { widthPx: 8, heightPx: 2, channels: 1 as const, data: new Uint8ClampedArray(16) };
  wide.data[11] = 255;
  expect(Array.from(holeFromMask(wide, image).data)).toEqual([0, 1, 0, 0]);
  expect(() => holeFromMask(wide, { widthPx: 40, heightPx: 40 })).toThrow('the mask is 8x2 px');
});

test.each([1, 3, 4] as const)('beyond its margin nothing changes, with %i channels', (channels) => {
  const image = newPixels({ widthPx: 60, heightPx: 50 }, channels);
  image.data.forEach((_, i) => (image.data[i] = (i * 7919) % 256));
  const mask = newPixels(image, 1);
  const drawn = painted(60, 50, [[20, 20, 30, 28]]);
  drawn.data.forEach((value, i) => (mask.data[i] = 255 * value));
  const margins = { maskGrowPx: 4, maskFeatherPx: 2 };
  const { pixels, areaPx } = inpaint(image, mask, margins, quiet);
  // The service grows in the same two steps: first the solid part, then its soft edge.
  const area = grow(grow(drawn, 2), 2);
  expect(areaPx).toBe(area.data.reduce((sum, value) => sum + value, 0));
  expect(broken(pixels, area).data).toEqual(broken(image, area).data);
  expect(pixels.data).not.toEqual(image.data);
});

test('an empty mask changes nothing; one that covers everything is refused', () => {
  const image = newPixels({ widthPx: 9, heightPx: 9 }, 3);
  const mask = newPixels(image, 1);
  const margins = { maskGrowPx: 4, maskFeatherPx: 2 };
  expect(inpaint(image, mask, margins, quiet)).toEqual({ pixels: image, areaPx: 0 });
  mask.data.fill(255);
  expect(() => inpaint(image, mask, margins, quiet)).toThrow('covers the whole image');
});
