/** What can be asked for a film. Only the service upscales films, so no processor knows of them. */

import type { FormFields } from '../api/client';
import { FILM_CODECS, type FilmCodec, type FilmContainer } from '../api/constants';
import type { components } from '../api/schema';
import { upscalingFields } from './fields';
import type { Upscaling } from './options';

type Task = components['schemas']['TaskInfo'];

export const FILM_TASK = 'upscale-video';

/** A part of a film, in seconds from its beginning. */
export interface FilmPart {
  startS: number;
  seconds: number;
}

export interface FilmOptions extends Upscaling {
  /** null: the film's own, else MP4. An animated image stays what it is. */
  container: FilmContainer | null;
  /** null: the film's own, else H.264. */
  codec: FilmCodec | null;
  /** 1 to 100; null for the encoder's default. */
  quality: number | null;
  encoder: string;
  deinterlace: string;
  /** null: the whole film. */
  part: FilmPart | null;
}

/** The text fields of `POST /api/jobs`. The task comes first: until it is named, the file counts as an image. */
export function filmFields(options: FilmOptions, isAnimation: boolean): FormFields {
  const { model, container, codec, quality, encoder, deinterlace, part } = options;
  const fields: FormFields = { task: FILM_TASK, ...upscalingFields(options) };
  if (model !== null) fields.model = model;
  if (container !== null) fields.format = container;
  // An animated image that stays one has no codec.
  if (codec !== null && (container !== null || !isAnimation)) fields.codec = codec;
  if (quality !== null && !isLossless(codec)) fields.quality = quality;
  if (encoder !== 'auto') fields.encoder = encoder;
  if (deinterlace !== 'auto') fields.deinterlace = deinterlace;
  if (part !== null) {
    fields.start = part.startS;
    fields.seconds = part.seconds;
  }
  return fields;
}

export function isLossless(codec: FilmCodec | null): boolean {
  return codec !== null && FILM_CODECS[codec].isLossless;
}

/** Whether a container takes a codec; null stands for a choice that is left to the service. */
export function fits(codec: FilmCodec | null, container: FilmContainer | null): boolean {
  if (codec === null || container === null) return true;
  return (FILM_CODECS[codec].containers as readonly string[]).includes(container);
}

/** Whether the service has what films need. */
export function canFilms(tasks: readonly Task[]): boolean {
  return tasks.some(({ name, available }) => name === FILM_TASK && available);
}
