/** The ICC profile that a file has for the colours of its pixels. */

import { ascii, viewOf } from '../bytes';
import { isJpeg, jpegSegments } from '../headers/jpeg';
import { isPng, pngChunks } from '../headers/png';
import { isWebp, webpChunks } from '../headers/webp';
import type { Channels } from '../pixels';

type Bytes = Uint8Array<ArrayBuffer>;

export const PROFILE_NAME = 'ICC_PROFILE\0';
export const PROFILE_MARKER = 0xe2;
const HEADER_BYTES = 128;
/** Those of screens and cameras have some kilobytes, those of presses two megabytes. */
const MAX_BYTES = 4 << 20;

/** null: the file has none that can be read. Its bytes are copied. */
export async function profileOf(bytes: Uint8Array): Promise<Bytes | null> {
  let found: Uint8Array | null = null;
  if (isPng(bytes)) found = await ofPng(bytes);
  else if (isJpeg(bytes)) found = ofJpeg(bytes);
  else if (isWebp(bytes)) found = webpChunks(bytes).find(({ kind }) => kind === 'ICCP')?.body ?? null;
  if (found === null || found.length > MAX_BYTES || ascii(found, 36, 4) !== 'acsp') return null;
  const length = viewOf(found).getUint32(0);
  return length > HEADER_BYTES && length <= found.length ? found.slice(0, length) : null;
}

/** Whether the profile is for pixels of so many channels. */
export function fitsChannels(profile: Uint8Array, channels: Channels): boolean {
  return ascii(profile, 16, 4) === (channels <= 2 ? 'GRAY' : 'RGB ');
}

async function ofPng(bytes: Uint8Array): Promise<Uint8Array | null> {
  for (const { kind, body, isWhole } of pngChunks(bytes)) {
    if (kind === 'IDAT' || !isWhole) return null;
    // Its name, a zero, the method of compression, and the profile.
    if (kind === 'iCCP') return inflated(body.slice(body.indexOf(0) + 2));
  }
  return null;
}

async function inflated(packed: Bytes): Promise<Uint8Array | null> {
  const parts: Bytes[] = [];
  let length = 0;
  try {
    const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      parts.push(step.value);
      length += step.value.length;
      if (length > MAX_BYTES) {
        await reader.cancel();
        return null;
      }
    }
  } catch {
    return null;
  }
  return joined(parts);
}

/** A profile may be longer than a segment: each names its number and how many there are. */
function ofJpeg(bytes: Uint8Array): Uint8Array | null {
  const parts = new Map<number, Uint8Array>();
  let count = 0;
  for (const { marker, body } of jpegSegments(bytes)) {
    if (marker !== PROFILE_MARKER || ascii(body, 0, PROFILE_NAME.length) !== PROFILE_NAME) continue;
    parts.set(body[PROFILE_NAME.length] ?? 0, body.subarray(PROFILE_NAME.length + 2));
    count = body[PROFILE_NAME.length + 1] ?? 0;
  }
  const inOrder = Array.from({ length: count }, (_, n) => parts.get(n + 1));
  return count > 0 && inOrder.every((part) => part !== undefined) ? joined(inOrder) : null;
}

function joined(parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
