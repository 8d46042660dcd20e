import {
  DENOISE,
  DETAIL,
  FILM_CODECS,
  FILM_CONTAINERS,
  FILM_DEINTERLACE,
  FILM_ENCODERS,
  FILM_QUALITY,
  type FilmCodec,
  type FilmContainer,
  SCALE,
} from '../../api/constants';
import { FILM_TASK, type FilmOptions, type FilmPart, fits } from '../../processing/films';
import type { Dial } from '../../processing/options';
import type { RecipeForm } from '../../state/recipes';
import type { SettingsPart } from '../../state/settings';
import { turned } from '../../state/upscaling';
import { isNullOr, isNumber, isOneOf, isText } from '../../state/valid';

export interface FilmSettings {
  filmSizing: 'scale' | 'size';
  filmFactor: number;
  filmWidthPx: number | null;
  filmHeightPx: number | null;
  filmModel: string | null;
  filmDenoise: number;
  filmDetail: number;
  /** null, here and below: as the film has it, or the encoder's own. */
  filmContainer: FilmContainer | null;
  filmCodec: FilmCodec | null;
  filmQuality: number | null;
  filmEncoder: (typeof FILM_ENCODERS)[number];
  filmDeinterlace: (typeof FILM_DEINTERLACE)[number];
}

const SIDE_PX = { min: 1, max: 1_000_000 };

export const filmSettings: SettingsPart<FilmSettings> = {
  defaults: {
    filmSizing: 'scale',
    filmFactor: 2,
    filmWidthPx: null,
    filmHeightPx: null,
    filmModel: null,
    filmDenoise: 0,
    filmDetail: 0,
    filmContainer: null,
    filmCodec: null,
    filmQuality: null,
    filmEncoder: 'auto',
    filmDeinterlace: 'auto',
  },
  valid: {
    filmSizing: isOneOf('scale', 'size'),
    filmFactor: isNumber(SCALE),
    filmWidthPx: isNullOr(isNumber(SIDE_PX)),
    filmHeightPx: isNullOr(isNumber(SIDE_PX)),
    filmModel: isNullOr(isText),
    filmDenoise: isNumber(DENOISE),
    filmDetail: isNumber(DETAIL),
    filmContainer: isNullOr(isOneOf(...Object.keys(FILM_CONTAINERS))),
    filmCodec: isNullOr(isOneOf(...Object.keys(FILM_CODECS))),
    filmQuality: isNullOr(isNumber(FILM_QUALITY)),
    filmEncoder: isOneOf(...FILM_ENCODERS),
    filmDeinterlace: isOneOf(...FILM_DEINTERLACE),
  },
  // The service refuses a codec that does not go into the container.
  adjust: ({ filmCodec, filmContainer }) => ({
    filmCodec: fits(filmCodec, filmContainer) ? filmCodec : null,
  }),
};

export const filmRecipes: RecipeForm<FilmSettings> = {
  task: FILM_TASK,
  part: filmSettings,
  settings: {
    scale: 'filmFactor',
    width: 'filmWidthPx',
    height: 'filmHeightPx',
    model: 'filmModel',
    denoise: 'filmDenoise',
    detail: 'filmDetail',
    format: 'filmContainer',
    codec: 'filmCodec',
    quality: 'filmQuality',
    encoder: 'filmEncoder',
    deinterlace: 'filmDeinterlace',
  },
  sizing: (isExact) => ({ filmSizing: isExact ? 'size' : 'scale' }),
};

export function filmOptionsOf(
  settings: FilmSettings,
  dials: readonly Dial[],
  part: FilmPart | null,
): FilmOptions {
  const { filmDenoise: denoise, filmDetail: detail, filmModel: model } = settings;
  const { filmSizing, filmFactor, filmWidthPx, filmHeightPx } = settings;
  const isExact = filmSizing === 'size' && (filmWidthPx !== null || filmHeightPx !== null);
  return {
    model,
    ...turned({ denoise, detail }, dials, model),
    target: isExact
      ? { kind: 'size', widthPx: filmWidthPx, heightPx: filmHeightPx }
      : { kind: 'scale', factor: filmFactor },
    container: settings.filmContainer,
    codec: settings.filmCodec,
    quality: settings.filmQuality,
    encoder: settings.filmEncoder,
    deinterlace: settings.filmDeinterlace,
    part,
  };
}
