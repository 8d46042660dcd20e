/** Refuses what cannot become a result, with a reason for the user, before anything is uploaded. */

import { FILM_SUFFIXES, type DEFAULT_LIMITS, type InputFormat } from '../api/constants';
import { areaOf, type Size } from '../imaging/geometry';
import { readHeader, type ImageHeader } from '../imaging/headers';
import type { TextValues } from '../lib/errors';
import type { Message } from '../lib/message';

export type InputLimits = Record<
  keyof Pick<typeof DEFAULT_LIMITS, 'max_upload_bytes' | 'max_input_pixels' | 'max_input_side_px'>,
  number
>;

export interface Checked {
  probe: ImageHeader | null;
  thumbnail: Blob | null;
  refusal: Message | null;
}

export interface Decoder {
  /** null if this browser cannot decode the file. */
  thumbnail(file: Blob): Promise<Blob | null>;
  /** Only for a file that this browser can decode. */
  measure(file: Blob): Promise<Size>;
}

/** Every browser decodes these, so that a file that it does not decode is damaged. */
const FORMATS_OF_EVERY_BROWSER: readonly InputFormat[] = ['jpeg', 'png', 'webp', 'gif', 'bmp'];

export async function checkFile(
  file: Blob,
  limits: InputLimits,
  firstFrame: boolean,
  decoder: Decoder,
): Promise<Checked> {
  if (file.size === 0) return refused(null, refusal('empty'));
  if (file.size > limits.max_upload_bytes) {
    const values = { megabytes: mega(file.size), limit: mega(limits.max_upload_bytes) };
    return refused(null, isNamedAsFilm(file) ? refusal('film') : refusal('tooManyBytes', values));
  }
  let header: ImageHeader | null;
  try {
    header = readHeader(new Uint8Array(await file.arrayBuffer()));
  } catch {
    // The file was moved or changed since it was picked.
    return refused(null, refusal('unreadable'));
  }
  if (header === null) return refused(null, refusal(isNamedAsFilm(file) ? 'film' : 'unsupported'));
  const reason = refusalOf(header, limits, firstFrame);
  if (reason !== null) return refused(header, reason);
  const thumbnail = await decoder.thumbnail(file);
  if (thumbnail === null && FORMATS_OF_EVERY_BROWSER.includes(header.format)) {
    return refused(header, refusal('damaged'));
  }
  if (thumbnail === null || header.widthPx !== null) return { probe: header, thumbnail, refusal: null };
  const measured = { ...header, ...(await decoder.measure(file)) };
  return { probe: measured, thumbnail, refusal: refusalOf(measured, limits, firstFrame) };
}

export function refusalOf(header: ImageHeader, limits: InputLimits, firstFrame: boolean): Message | null {
  const { widthPx, heightPx } = header;
  if (widthPx === 0 || heightPx === 0) return refusal('damaged');
  if (widthPx !== null && heightPx !== null) {
    const side = Math.max(widthPx, heightPx);
    if (side > limits.max_input_side_px) {
      return refusal('tooLong', { side, limit: limits.max_input_side_px });
    }
    const pixels = areaOf({ widthPx, heightPx });
    if (pixels > limits.max_input_pixels) {
      return refusal('tooManyPixels', { megapixels: mega(pixels), limit: mega(limits.max_input_pixels) });
    }
  }
  if (!header.isComplete) return refusal('truncated');
  if (header.isAnimated && !firstFrame) return refusal('animated');
  return null;
}

function isNamedAsFilm(file: Blob): boolean {
  const name = file instanceof File ? file.name.toLowerCase() : '';
  return file.type.startsWith('video/') || FILM_SUFFIXES.some((suffix) => name.endsWith(suffix));
}

function refused(probe: ImageHeader | null, reason: Message): Checked {
  return { probe, thumbnail: null, refusal: reason };
}

function refusal(key: string, values?: TextValues): Message {
  return { key: `refusals.${key}`, values, retryable: false };
}

function mega(count: number): number {
  return Math.round(count / 100_000) / 10;
}
