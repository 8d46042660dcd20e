/** What can be told of a film before it is sent. */

import type { DEFAULT_LIMITS } from '../api/constants';
import { readHeader, type ImageHeader } from '../imaging/headers';
import type { Message } from '../lib/message';

export interface FilmFacts {
  widthPx: number;
  heightPx: number;
  /** null if it is not known, as for animated images. */
  durationS: number | null;
  /** null if it is not known, as for films. */
  frames: number | null;
  isAnimation: boolean;
}

export type FilmLimits = Record<keyof Pick<typeof DEFAULT_LIMITS, 'max_video_bytes' | 'max_video_s'>, number>;

export interface CheckedFilm {
  /** null if this browser cannot play the film. The service may read it all the same. */
  facts: FilmFacts | null;
  refusal: Message | null;
}

export interface FilmReader {
  /** null if this browser cannot play the film. */
  film(file: Blob): Promise<Omit<FilmFacts, 'isAnimation' | 'frames'> | null>;
  /** How many frames an animated image has; null if this browser does not tell. */
  frames(file: Blob, format: string): Promise<number | null>;
  /** The size of an image whose header is not read here; null if this browser does not show it. */
  size(file: Blob): Promise<Pick<FilmFacts, 'widthPx' | 'heightPx'> | null>;
}

/** Images are told by their beginning. A film may be larger than memory, so that no more of a file is read. */
const HEAD_BYTES = 1 << 20;
const MEASURE_MS = 10_000;

export async function checkFilm(file: Blob, limits: FilmLimits, reader: FilmReader): Promise<CheckedFilm> {
  if (file.size === 0) return refused('refusals.empty');
  if (file.size > limits.max_video_bytes) {
    const values = { megabytes: mega(file.size), limit: mega(limits.max_video_bytes) };
    return refused('films.refusals.tooManyBytes', values);
  }
  let head: Uint8Array;
  try {
    head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  } catch {
    // The file was moved or changed since it was picked.
    return refused('refusals.unreadable');
  }
  const image = readHeader(head);
  if (image === null || (!image.isAnimated && image.widthPx === null)) {
    const found = await reader.film(file);
    return { facts: found && { ...found, frames: null, isAnimation: false }, refusal: null };
  }
  if (!image.isAnimated) return refused('films.refusals.still');
  const size = await animationSize(file, image, reader);
  if (size === null) return { facts: null, refusal: null };
  const frames = await reader.frames(file, image.format);
  return { facts: { ...size, durationS: null, frames, isAnimation: true }, refusal: null };
}

function animationSize(file: Blob, { widthPx, heightPx }: ImageHeader, reader: FilmReader) {
  return widthPx === null || heightPx === null ? reader.size(file) : { widthPx, heightPx };
}

export const browserFilmReader: FilmReader = {
  film: (file) =>
    new Promise((resolve) => {
      const video = document.createElement('video');
      const url = URL.createObjectURL(file);
      const end = (isKnown: boolean) => {
        clearTimeout(timer);
        const { videoWidth: widthPx, videoHeight: heightPx, duration } = video;
        video.removeAttribute('src');
        URL.revokeObjectURL(url);
        const durationS = Number.isFinite(duration) ? duration : null;
        resolve(isKnown && widthPx > 0 ? { widthPx, heightPx, durationS } : null);
      };
      const timer = setTimeout(() => end(false), MEASURE_MS);
      video.preload = 'metadata';
      video.onloadedmetadata = () => end(true);
      video.onerror = () => end(false);
      video.src = url;
    }),
  frames: async (file, format) => {
    if (!('ImageDecoder' in globalThis)) return null;
    try {
      const decoder = new ImageDecoder({ data: file.stream(), type: `image/${format}` });
      await decoder.completed;
      const count = decoder.tracks.selectedTrack?.frameCount ?? null;
      decoder.close();
      return count;
    } catch {
      return null;
    }
  },
  size: async (file) => {
    try {
      const image = await createImageBitmap(file);
      const { width: widthPx, height: heightPx } = image;
      image.close();
      return { widthPx, heightPx };
    } catch {
      return null;
    }
  },
};

function refused(key: string, values?: Message['values']): CheckedFilm {
  return { facts: null, refusal: { key, values, retryable: false } };
}

function mega(count: number): number {
  return Math.round(count / 100_000) / 10;
}
