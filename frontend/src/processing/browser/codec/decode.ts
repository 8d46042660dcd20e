/** From a file to pixels: upright, and in the colours that are stored if their profile can be kept, else in sRGB. */

import { DEFAULT_LIMITS } from '../../../api/constants';
import type { Size } from '../../../imaging/geometry';
import { jpegComponents } from '../../../imaging/headers/jpeg';
import { hasOtherColours, pngInfo, pngKindsBeforePixels, type PngInfo } from '../../../imaging/headers/png';
import { newPixels, pickChannels, uniformValue, type Channels, type Pixels } from '../../../imaging/pixels';
import { readPng } from '../../../imaging/png/reader';
import { PngWriter } from '../../../imaging/png/writer';
import { fitsChannels, profileOf } from '../../../imaging/metadata/profile';
import { withMetadata } from '../../../imaging/metadata/writer';
import { openReadback } from '../../../imaging/readback';
import { ProcessError } from '../../../lib/errors';

const MAX_INPUT_PIXELS = DEFAULT_LIMITS.max_input_pixels;
/** How many rows the canvas between the browser's decoder and the pixels has. */
const BAND_ROWS = 256;
/** A decoder may round. */
const STORED_ERROR = 1;

type Bytes = Uint8Array<ArrayBuffer>;

export interface Decoded {
  pixels: Pixels;
  /** By which the pixels are shown; null for sRGB. */
  profile: Bytes | null;
  /** The file has a profile, which may not be the one above: this browser then brought the colours to sRGB. */
  hadProfile: boolean;
}

/**
 * keepsGrey: the result will be grey if the image is, so that it can have a profile for grey.
 *
 * Raises ProcessError: `undecodable`, `too-large`, `pixels-hidden`.
 */
export async function decodeImage(file: Blob, bytes: Bytes, keepsGrey: boolean): Promise<Decoded> {
  const profile = await profileOf(bytes);
  const hadProfile = profile !== null;
  const isFit = (channels: Channels) => hadProfile && fitsChannels(profile, keepsGrey ? channels : 3);
  const header = pngInfo(bytes);
  if (header !== null) {
    refuseTooLarge(header);
    if (isReadHere(header, bytes)) {
      const pixels = withoutOpaqueAlpha(await readPng(bytes));
      if (!hadProfile || isFit(pixels.channels)) return { pixels, profile, hadProfile };
    }
  }
  const channels = channelsOf(bytes);
  const isKept = isFit(channels) && hadProfile && (await leavesStored(profile, channels));
  const pixels = await readByBrowser(file, channels, isKept ? 'none' : 'default');
  return { pixels: withoutOpaqueAlpha(pixels), profile: isKept ? profile : null, hadProfile };
}

/** The browser's decoder applies what Exif data say of the orientation, and code points. */
function isReadHere(header: PngInfo, bytes: Uint8Array): boolean {
  return !header.isInterlaced && !pngKindsBeforePixels(bytes).has('eXIf') && !hasOtherColours(bytes);
}

function channelsOf(bytes: Uint8Array): Channels {
  const components = jpegComponents(bytes);
  return components === null ? 4 : components === 1 ? 1 : 3;
}

/** Whether this browser's decoder leaves colours with this profile as they are stored, if it is asked to: not all do. */
async function leavesStored(profile: Bytes, channels: Channels): Promise<boolean> {
  const stored = channels <= 2 ? [90] : [200, 40, 30];
  const writer = new PngWriter({ widthPx: 1, heightPx: 1 }, stored.length as Channels);
  await writer.write(Uint8ClampedArray.from(stored));
  try {
    const file = await withMetadata(await writer.finish(), { profile, exif: null });
    const { data } = await readByBrowser(file, stored.length as Channels, 'none');
    return stored.every((value, k) => Math.abs((data[k] as number) - value) <= STORED_ERROR);
  } catch {
    return false;
  }
}

async function readByBrowser(
  file: Blob,
  channels: Channels,
  colorSpaceConversion: ColorSpaceConversion,
): Promise<Pixels> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, {
      colorSpaceConversion,
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
    return await readBitmap(bitmap, size, channels);
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
