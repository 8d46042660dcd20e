/** From a file to pixels: upright, and in the colours that are stored. */

import { DEFAULT_LIMITS } from '../../../api/constants';
import type { Size } from '../../../imaging/geometry';
import { jpegComponents } from '../../../imaging/headers/jpeg';
import { pngInfo, pngKindsBeforePixels } from '../../../imaging/headers/png';
import { newPixels, pickChannels, uniformValue, type Channels, type Pixels } from '../../../imaging/pixels';
import { readPng } from '../../../imaging/png/reader';
import { openReadback } from '../../../imaging/readback';
import { ProcessError } from '../../../lib/errors';

const MAX_INPUT_PIXELS = DEFAULT_LIMITS.max_input_pixels;
/** How many rows the canvas between the browser's decoder and the pixels has. */
const BAND_ROWS = 256;

/** Raises ProcessError: `undecodable`, `too-large`, `pixels-hidden`. */
export async function decodeImage(file: Blob, bytes: Uint8Array<ArrayBuffer>): Promise<Pixels> {
  const header = pngInfo(bytes);
  if (header !== null) {
    refuseTooLarge(header);
    // Exif data may say that the image is turned, which the browser's decoder applies.
    if (!header.isInterlaced && !pngKindsBeforePixels(bytes).has('eXIf'))
      return withoutOpaqueAlpha(await readPng(bytes));
  }
  return withoutOpaqueAlpha(await readByBrowser(file, bytes));
}

async function readByBrowser(file: Blob, bytes: Uint8Array): Promise<Pixels> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, {
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
      imageOrientation: 'from-image',
    });
  } catch (error) {
    throw new ProcessError('undecodable', `this browser cannot decode the image: ${String(error)}`, {
      cause: error,
    });
  }
  try {
    const size = { widthPx: bitmap.width, heightPx: bitmap.height };
    refuseTooLarge(size);
    const components = jpegComponents(bytes);
    return await readBitmap(bitmap, size, components === null ? 4 : components === 1 ? 1 : 3);
  } finally {
    bitmap.close();
  }
}

async function readBitmap(bitmap: ImageBitmap, size: Size, channels: Channels): Promise<Pixels> {
  const read = await openReadback();
  const pixels = newPixels(size, channels);
  const canvas = new OffscreenCanvas(size.widthPx, Math.min(BAND_ROWS, size.heightPx));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new ProcessError('out-of-memory', 'no canvas to decode on');
  for (let top = 0; top < size.heightPx; top += BAND_ROWS) {
    const rows = Math.min(BAND_ROWS, size.heightPx - top);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, -top);
    const data = await read(canvas, rows);
    let to = top * size.widthPx * channels;
    for (let from = 0; from < data.length; from += 4) {
      for (let k = 0; k < channels; k += 1, to += 1) pixels.data[to] = data[from + k] as number;
    }
  }
  return pixels;
}

/** The network need not compute an alpha that is opaque throughout. */
function withoutOpaqueAlpha(pixels: Pixels): Pixels {
  const { channels } = pixels;
  if ((channels !== 2 && channels !== 4) || uniformValue(pixels, channels - 1) !== 255) return pixels;
  return pickChannels(pixels, channels === 2 ? [0] : [0, 1, 2]);
}

function refuseTooLarge({ widthPx, heightPx }: Size): void {
  if (widthPx * heightPx <= MAX_INPUT_PIXELS) return;
  throw new ProcessError(
    'too-large',
    `${widthPx}x${heightPx} px is more than ${MAX_INPUT_PIXELS / 1e6} megapixels`,
    {
      values: { megapixels: MAX_INPUT_PIXELS / 1e6 },
    },
  );
}
