import { expect, test } from 'vitest';
import { upscale, type Upscaler } from '../../../src/processing/browser/upscale/upscale';
import { sizeFor } from '../../../src/processing/browser/upscale/target';
import type { Size } from '../../../src/imaging/geometry';
import { newPixels, type Channels, type Pixels } from '../../../src/imaging/pixels';

const REACH_PX = 3;

/** A network for twice the size. Each pixel depends on all within REACH_PX, and outside the window all is black. */
function network(tilePx: number): Upscaler {
  const run = (plane: Float32Array, { widthPx, heightPx }: Size) => {
    const output = new Float32Array(plane.length * 4);
    for (let k = 0; k < 3; k += 1) {
      for (let y = 0; y < 2 * heightPx; y += 1) {
        for (let x = 0; x < 2 * widthPx; x += 1) {
          let sum = 0;
          for (const [down, right, weight] of [
            [-REACH_PX, 0, 0.2],
            [0, REACH_PX, 0.3],
            [REACH_PX, -REACH_PX, 0.1],
            [0, 0, 0.4 - 0.1 * (x & 1) - 0.05 * (y & 1)],
          ] as const) {
            const row = (y >> 1) + down;
            const column = (x >> 1) + right;
            const isInside = row >= 0 && column >= 0 && row < heightPx && column < widthPx;
            if (isInside) sum += weight * (plane[(k * heightPx + row) * widthPx + column] as number);
          }
          output[(k * 2 * heightPx + y) * 2 * widthPx + x] = sum;
        }
      }
    }
    return Promise.resolve(output);
  };
  return { scale: 2, receptiveFieldPx: REACH_PX, tilePx, run };
}

function picture(widthPx: number, heightPx: number, channels: Channels): Pixels {
  const pixels = newPixels({ widthPx, heightPx }, channels);
  pixels.data.forEach((_, i) => (pixels.data[i] = (i * 7919 + (i >> 3) * 31) % 256));
  return pixels;
}

async function upscaled(
  image: Pixels,
  target: Size,
  tilePx: number,
  reported: number[] = [],
): Promise<Pixels> {
  const result = newPixels(target, image.channels);
  let at = 0;
  const writer = {
    write: (rows: Uint8ClampedArray) => {
      result.data.set(rows, at);
      at += rows.length;
      return Promise.resolve();
    },
  };
  await upscale(image, target, network(tilePx), writer, (done) => reported.push(done));
  expect(at).toBe(result.data.length);
  return result;
}

test.each([1, 2, 3, 4] as const)('tiles make no difference, with %i channels', async (channels) => {
  const image = picture(53, 41, channels);
  const target = { widthPx: 106, heightPx: 82 };
  const reported: number[] = [];
  const whole = await upscaled(image, target, 1000);
  const tiled = await upscaled(image, target, 24, reported);
  expect(tiled.data).toEqual(whole.data);
  expect(reported).toEqual([...reported.keys()]);
  expect(reported.length).toBeGreaterThan(5);
});

test('beyond its edge an image is mirrored, not black', async () => {
  const white = newPixels({ widthPx: 9, heightPx: 5 }, 3);
  white.data.fill(255);
  const result = await upscaled(white, { widthPx: 18, heightPx: 10 }, 64);
  // 0.2 + 0.3 + 0.1 + 0.4 at even places, less by the network's own pattern at odd ones.
  expect(result.data[0]).toBe(255);
  expect(Math.min(...result.data)).toBe(Math.round(255 * 0.85));
});

test('an alpha that is solid around a pixel stays exactly so', async () => {
  const image = picture(20, 16, 4);
  for (let i = 0; i < 20 * 16; i += 1) image.data[4 * i + 3] = i % 20 < 10 ? 255 : 0;
  const result = await upscaled(image, { widthPx: 40, heightPx: 32 }, 64);
  const alpha = (x: number, y: number) => result.data[4 * (y * 40 + x) + 3];
  expect([alpha(0, 0), alpha(17, 9), alpha(22, 9), alpha(39, 31)]).toEqual([255, 255, 0, 0]);
});

test.each([
  [{ widthPx: 53, heightPx: 41 }, 3],
  [{ widthPx: 80, heightPx: 70 }, 1],
  [{ widthPx: 150, heightPx: 82 }, 4],
] as const)('any size comes out, and flat stays flat: %o', async (target, channels) => {
  const flat = newPixels({ widthPx: 53, heightPx: 41 }, channels);
  flat.data.fill(200);
  const grey = {
    ...network(24),
    run: (plane: Float32Array) => Promise.resolve(new Float32Array(plane.length * 4).fill(128 / 255)),
  };
  const rows: number[] = [];
  const writer = {
    write: (part: Uint8ClampedArray) => {
      rows.push(...part);
      return Promise.resolve();
    },
  };
  await upscale(flat, target, grey, writer, () => undefined);
  expect(rows.length).toBe(target.widthPx * target.heightPx * channels);
  expect(new Set(rows)).toEqual(new Set([128]));
});

test('sizes are refused as the service refuses them', () => {
  const source = { widthPx: 100, heightPx: 60 };
  expect(sizeFor(source, { kind: 'scale', factor: 2.5 })).toEqual({ widthPx: 250, heightPx: 150 });
  expect(sizeFor(source, { kind: 'size', widthPx: 200, heightPx: null })).toEqual({
    widthPx: 200,
    heightPx: 120,
  });
  expect(() => sizeFor(source, { kind: 'scale', factor: 9 })).toThrow('outside 1 to 8');
  expect(() => sizeFor(source, { kind: 'size', widthPx: 50, heightPx: null })).toThrow('outside 1 to 8');
  const large = { widthPx: 7000, heightPx: 7000 };
  expect(() => sizeFor(large, { kind: 'scale', factor: 4 })).toThrow('256 megapixels');
});
