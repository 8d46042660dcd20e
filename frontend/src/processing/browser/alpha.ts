/** Colour for invisible pixels, and an exact alpha for solid areas, as in imaging/alpha.py. */

import { widenedRect, type Rect, type Size } from '../../imaging/geometry';
import { cutOut, hasAlpha, type Pixels } from '../../imaging/pixels';

/** `colour` is (height, width, colours), multiplied with `weight`, which is (height, width). */
interface Weighted extends Size {
  colours: number;
  colour: Float32Array;
  weight: Float32Array;
}

/**
 * Gives fully transparent pixels the colour of their visible surroundings. Often black is stored there, and a network
 * that sees it draws a dark fringe. Returns the input itself if it has no such pixels, or no others.
 */
export function bleedColour(pixels: Pixels): Pixels {
  if (!hasAlpha(pixels.channels)) return pixels;
  const hidden = boundsOfHidden(pixels);
  if (hidden === null) return pixels;
  // Only the box around the hidden pixels matters, with one pixel of visible context.
  const box = widenedRect(hidden, 1, pixels);
  const half = boosted(halved(premultiplied(cutOut(pixels, box))));
  const colour = pullPush(half);
  const { data, channels, widthPx } = pixels;
  const colours = channels - 1;
  const filled = { ...pixels, data: data.slice() };
  for (let y = box.y.start; y < box.y.stop; y += 1) {
    for (let x = box.x.start; x < box.x.stop; x += 1) {
      const at = (y * widthPx + x) * channels;
      if (data[at + colours] !== 0) continue;
      const from = (((y - box.y.start) >> 1) * half.widthPx + ((x - box.x.start) >> 1)) * colours;
      for (let k = 0; k < colours; k += 1) filled.data[at + k] = colour[from + k] as number;
    }
  }
  return filled;
}

/** null if no pixel is hidden, or all are. */
function boundsOfHidden(pixels: Pixels): Rect | null {
  const { data, channels, widthPx, heightPx } = pixels;
  const x = { start: widthPx, stop: 0 };
  const y = { start: heightPx, stop: 0 };
  let count = 0;
  for (let i = 0, at = channels - 1; at < data.length; i += 1, at += channels) {
    if (data[at] !== 0) continue;
    const column = i % widthPx;
    const row = (i - column) / widthPx;
    count += 1;
    x.start = Math.min(x.start, column);
    x.stop = Math.max(x.stop, column + 1);
    y.start = Math.min(y.start, row);
    y.stop = row + 1;
  }
  return count === 0 || count === widthPx * heightPx ? null : { x, y };
}

/**
 * Makes alpha exactly opaque (or transparent), in place, if its whole source neighbourhood is. A network turns 255 into
 * 254 here and there, which leaves faint holes. `source` is a tile, `upscaled` is `scale` times its size.
 */
export function snapAlpha(
  source: Uint8Array,
  widthPx: number,
  upscaled: Uint8ClampedArray,
  scale: number,
): void {
  const heightPx = source.length / widthPx;
  for (let y = 0; y < heightPx; y += 1) {
    for (let x = 0; x < widthPx; x += 1) {
      const value = source[y * widthPx + x] as number;
      if ((value !== 0 && value !== 255) || !isSolid(source, widthPx, heightPx, x, y, value)) continue;
      for (let row = y * scale; row < (y + 1) * scale; row += 1) {
        const from = row * widthPx * scale + x * scale;
        upscaled.fill(value, from, from + scale);
      }
    }
  }
}

function isSolid(
  source: Uint8Array,
  widthPx: number,
  heightPx: number,
  x: number,
  y: number,
  value: number,
): boolean {
  const right = Math.min(x + 1, widthPx - 1);
  const bottom = Math.min(y + 1, heightPx - 1);
  for (let row = Math.max(y - 1, 0); row <= bottom; row += 1) {
    for (let column = Math.max(x - 1, 0); column <= right; column += 1) {
      if (source[row * widthPx + column] !== value) return false;
    }
  }
  return true;
}

function premultiplied(pixels: Pixels): Weighted {
  const { widthPx, heightPx, channels, data } = pixels;
  const colours = channels - 1;
  const area = widthPx * heightPx;
  const colour = new Float32Array(area * colours);
  const weight = new Float32Array(area);
  for (let i = 0; i < area; i += 1) {
    const own = (data[i * channels + colours] as number) / 255;
    weight[i] = own;
    for (let k = 0; k < colours; k += 1) colour[i * colours + k] = own * (data[i * channels + k] as number);
  }
  return { widthPx, heightPx, colours, colour, weight };
}

/** Fills by a pyramid of weighted means (pull-push, after Gortler et al., The Lumigraph, 1996). */
function pullPush(level: Weighted): Float32Array {
  const { widthPx, heightPx, colours, weight } = level;
  const result = level.colour.slice();
  if (widthPx === 1 && heightPx === 1) {
    return result.map((value) => value / Math.max(weight[0] as number, 1e-6));
  }
  const half = boosted(halved(level));
  const below = pullPush(half);
  for (let y = 0, i = 0; y < heightPx; y += 1) {
    for (let x = 0; x < widthPx; x += 1, i += 1) {
      const from = ((y >> 1) * half.widthPx + (x >> 1)) * colours;
      const share = 1 - (weight[i] as number);
      for (let k = 0; k < colours; k += 1) {
        const at = i * colours + k;
        result[at] = (result[at] as number) + share * (below[from + k] as number);
      }
    }
  }
  return result;
}

/** Counts a cell that is partly visible as wholly visible, in place, so that known fine levels take precedence. */
function boosted(level: Weighted): Weighted {
  const { colours, colour, weight } = level;
  for (let i = 0; i < weight.length; i += 1) {
    const own = weight[i] as number;
    const boost = Math.min(1, 4 * own) / Math.max(own, 1e-6);
    weight[i] = own * boost;
    for (let k = i * colours; k < (i + 1) * colours; k += 1) colour[k] = boost * (colour[k] as number);
  }
  return level;
}

/** Means of 2x2 cells. The last row or column of an odd side is a cell of its own. */
function halved(level: Weighted): Weighted {
  const { widthPx, heightPx, colours } = level;
  const width = Math.ceil(widthPx / 2);
  const height = Math.ceil(heightPx / 2);
  const mean = (values: Float32Array, depth: number): Float32Array => {
    const result = new Float32Array(width * height * depth);
    for (let y = 0, to = 0; y < height; y += 1) {
      const top = 2 * y * widthPx;
      const bottom = Math.min(2 * y + 1, heightPx - 1) * widthPx;
      for (let x = 0; x < width; x += 1) {
        const left = 2 * x;
        const right = Math.min(left + 1, widthPx - 1);
        for (let k = 0; k < depth; k += 1, to += 1) {
          result[to] =
            ((values[(top + left) * depth + k] as number) +
              (values[(top + right) * depth + k] as number) +
              (values[(bottom + left) * depth + k] as number) +
              (values[(bottom + right) * depth + k] as number)) /
            4;
        }
      }
    }
    return result;
  };
  return {
    widthPx: width,
    heightPx: height,
    colours,
    colour: mean(level.colour, colours),
    weight: mean(level.weight, 1),
  };
}
