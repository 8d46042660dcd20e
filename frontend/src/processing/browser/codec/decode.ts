/** From a file to pixels, upright, in the colours that are stored. */

import { ProcessError } from '../../processor';
import type { Size } from '../image/geometry';
import { newPixels, pickChannels, uniformValue, type Channels, type Pixels } from '../image/pixels';
import { jpegComponents } from './losses';
import { pngChunks, pngHeader, readPng } from './pngReader';

/** As the service's default. */
export const MAX_INPUT_PIXELS = 50_000_000;
/** The canvas between the browser's decoder and our memory is no larger than that many rows. */
const BAND_ROWS = 256;

/** Raises ProcessError: `undecodable`, `too-large`. */
export async function decodeImage(file: Blob, bytes: Uint8Array<ArrayBuffer>): Promise<Pixels> {
  const header = pngHeader(bytes);
  if (header !== null) {
    refuseTooLarge(header);
    if (!header.interlaced && !isTurnedPng(bytes)) return withoutOpaqueAlpha(await readPng(bytes));
  }
  return withoutOpaqueAlpha(await readByBrowser(file, bytes));
}

function isTurnedPng(bytes: Uint8Array): boolean {
  for (const { kind } of pngChunks(bytes)) {
    if (kind === 'IDAT') return false;
    if (kind === 'eXIf') return true;
  }
  return false;
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
    return readBitmap(bitmap, size, components === null ? 4 : components === 1 ? 1 : 3);
  } finally {
    bitmap.close();
  }
}

function readBitmap(bitmap: ImageBitmap, size: Size, channels: Channels): Pixels {
  const pixels = newPixels(size, channels);
  const canvas = new OffscreenCanvas(size.widthPx, Math.min(BAND_ROWS, size.heightPx));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new ProcessError('out-of-memory', 'no canvas to decode on');
  for (let top = 0; top < size.heightPx; top += BAND_ROWS) {
    const rows = Math.min(BAND_ROWS, size.heightPx - top);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, -top);
    const { data } = context.getImageData(0, 0, size.widthPx, rows);
    let to = top * size.widthPx * channels;
    for (let from = 0; from < data.length; from += 4) {
      for (let k = 0; k < channels; k += 1, to += 1) pixels.data[to] = data[from + k] as number;
    }
  }
  return pixels;
}

/** Spares the network a plane that is opaque throughout. */
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
