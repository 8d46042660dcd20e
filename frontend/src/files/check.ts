/** Refuses, in words and before an upload, what cannot become a result. */

import type { Limits } from '../api/client';
import type { Message } from '../state/message';
import { probe, type Probe } from './probe';

export type InputLimits = Pick<Limits, 'max_upload_bytes' | 'max_input_pixels' | 'max_input_side_px'>;

/** The service's defaults, for while it cannot be asked. */
export const DEFAULT_LIMITS: InputLimits = {
  max_upload_bytes: 50_000_000,
  max_input_pixels: 50_000_000,
  max_input_side_px: 16_384,
};

export interface Checked {
  probe: Probe | null;
  thumbnail: Blob | null;
  refusal: Message | null;
}

export interface Decoder {
  /** null where this browser cannot decode the file; which counts for formats that all know. */
  thumbnail(file: Blob): Promise<Blob | null>;
  /** Of a file that it can decode. */
  measure(file: Blob): Promise<{ width: number; height: number }>;
}

export async function checkFile(
  file: Blob,
  limits: InputLimits,
  firstFrame: boolean,
  decoder: Decoder,
): Promise<Checked> {
  if (file.size === 0) return refused(null, 'empty');
  if (file.size > limits.max_upload_bytes) {
    return refused(null, 'tooManyBytes', {
      megabytes: mega(file.size),
      limit: mega(limits.max_upload_bytes),
    });
  }
  let found: Probe | null;
  try {
    found = probe(new Uint8Array(await file.arrayBuffer()));
  } catch {
    // It was moved or changed since it was picked.
    return refused(null, 'unreadable');
  }
  if (found === null) return refused(null, 'unsupported');
  const refusal = refusalOf(found, limits, firstFrame);
  if (refusal !== null) return { probe: found, thumbnail: null, refusal };
  const thumbnail = await decoder.thumbnail(file);
  const isEverywhere = ['jpeg', 'png', 'webp', 'gif', 'bmp'].includes(found.format);
  if (isEverywhere && thumbnail === null) return refused(found, 'damaged');
  if (thumbnail === null || found.widthPx !== null) return { probe: found, thumbnail, refusal: null };
  const { width, height } = await decoder.measure(file);
  const measured = { ...found, widthPx: width, heightPx: height };
  return { probe: measured, thumbnail, refusal: refusalOf(measured, limits, firstFrame) };
}

export function refusalOf(found: Probe, limits: InputLimits, firstFrame: boolean): Message | null {
  const { widthPx, heightPx } = found;
  if (widthPx === 0 || heightPx === 0) return refused(found, 'damaged').refusal;
  if (widthPx !== null && heightPx !== null) {
    const longest = Math.max(widthPx, heightPx);
    if (longest > limits.max_input_side_px) {
      return refused(found, 'tooLong', { side: longest, limit: limits.max_input_side_px }).refusal;
    }
    if (widthPx * heightPx > limits.max_input_pixels) {
      const values = { megapixels: mega(widthPx * heightPx), limit: mega(limits.max_input_pixels) };
      return refused(found, 'tooManyPixels', values).refusal;
    }
  }
  if (!found.isComplete) return refused(found, 'truncated').refusal;
  if (found.isAnimated && !firstFrame) return refused(found, 'animated').refusal;
  return null;
}

function refused(found: Probe | null, key: string, values?: Record<string, string | number>): Checked {
  return { probe: found, thumbnail: null, refusal: { key: `refusals.${key}`, values, retryable: false } };
}

function mega(count: number): number {
  return Math.round(count / 100_000) / 10;
}
