import { expect, test } from 'vitest';
import type { FilmFacts } from '../../../src/files/film';
import { filmSize, framesOf, partOffset, trialStart } from '../../../src/features/films/facts';
import { finishedSeconds } from '../../../src/features/films/playlist';
import { filmOptionsOf, filmSettings } from '../../../src/features/films/settings';
import { namedIn } from '../../../src/features/films/useResult';
import { canFilms, filmFields } from '../../../src/processing/films';
import { settingsPart, settingsReducer, valuesOf } from '../../../src/state/settings';
import { correction } from '../../../src/ui/player/step';

const FACTS: FilmFacts = { widthPx: 97, heightPx: 64, durationS: 2, frames: null, isAnimation: false };
const SETTINGS = filmSettings.defaults;
const DIALS = ['denoise', 'detail'] as const;

test('the task is the first field, and what is left to the service is not sent', () => {
  const fields = filmFields(filmOptionsOf(SETTINGS, DIALS, null), false);
  expect(Object.entries(fields)).toEqual([
    ['task', 'upscale-video'],
    ['scale', 2],
  ]);
});

test('all that is chosen is sent', () => {
  const chosen = filmOptionsOf(
    {
      ...SETTINGS,
      filmSizing: 'size',
      filmHeightPx: 1080,
      filmModel: 'm',
      filmDenoise: 0.4,
      filmContainer: 'mkv',
      filmCodec: 'hevc',
      filmQuality: 90,
      filmEncoder: 'software',
      filmDeinterlace: 'off',
    },
    DIALS,
    { startS: 1.5, seconds: 3 },
  );
  expect(filmFields(chosen, false)).toEqual({
    task: 'upscale-video',
    height: 1080,
    denoise: 0.4,
    detail: 0,
    model: 'm',
    format: 'mkv',
    codec: 'hevc',
    quality: 90,
    encoder: 'software',
    deinterlace: 'off',
    start: 1.5,
    seconds: 3,
  });
});

test('an animated image that stays one has no codec, and a lossless codec no quality', () => {
  const chosen = filmOptionsOf({ ...SETTINGS, filmCodec: 'ffv1', filmQuality: 50 }, DIALS, null);
  expect(filmFields(chosen, true)).toEqual({ task: 'upscale-video', scale: 2 });
  expect(filmFields({ ...chosen, container: 'mkv' }, true)).toMatchObject({ format: 'mkv', codec: 'ffv1' });
});

test('a codec that does not go into the chosen container is given up', () => {
  const parts = [settingsPart(filmSettings)];
  const reduce = settingsReducer(parts);
  const prores = reduce({ ...SETTINGS }, { type: 'set', changes: { filmCodec: 'prores' } });
  expect(valuesOf(prores, filmSettings).filmCodec).toBe('prores');
  const webm = reduce(prores, { type: 'set', changes: { filmContainer: 'webm' } });
  expect(valuesOf(webm, filmSettings).filmCodec).toBeNull();
});

test('frames are known, or assumed from the length, or not known', () => {
  expect(framesOf(FACTS)).toBe(50);
  expect(framesOf({ ...FACTS, durationS: null, frames: 7 })).toBe(7);
  expect(framesOf({ ...FACTS, durationS: null })).toBeNull();
});

test('results have even sides', () => {
  expect(filmSize(FACTS, { kind: 'scale', factor: 1 })).toEqual({ widthPx: 96, heightPx: 64 });
  expect(filmSize({ widthPx: 1, heightPx: 1 }, { kind: 'scale', factor: 1 })).toEqual({
    widthPx: 2,
    heightPx: 2,
  });
});

test('a trial begins just before the frame that is seen, and is not cut short by the end', () => {
  expect(trialStart(12.04, 24)).toBe(12.039);
  expect(trialStart(23.5, 24)).toBe(20.999);
  expect(trialStart(0, 24)).toBe(0);
  expect(trialStart(1, 2)).toBe(0);
  // Within the frame that begins at 12.04, whatever is rounded on the way.
  expect(partOffset({ startS: 12.039, seconds: 3 })).toBeCloseTo(12.041, 6);
  expect(partOffset({ startS: 0, seconds: 3 })).toBe(0);
  expect(partOffset(null)).toBe(0);
});

test('a film that is behind is hurried, one that is ahead waits, and one that is far away jumps', () => {
  expect(correction(0)).toEqual({ jumps: false, rate: 1 });
  expect(correction(0.1).rate).toBeGreaterThan(1);
  expect(correction(-0.1).rate).toBeLessThan(1);
  expect(correction(-0.4).rate).toBeGreaterThan(0.8);
  expect(correction(3)).toEqual({ jumps: true, rate: 1 });
});

test('a playlist tells how much is finished', () => {
  expect(finishedSeconds('#EXTM3U\n#EXTINF:5.000000,\nsegments/0.mp4\n#EXTINF:4.5,\nsegments/1.mp4\n')).toBe(
    9.5,
  );
  expect(finishedSeconds('#EXTM3U\n')).toBe(0);
});

test('the name of a result comes from its header', () => {
  expect(namedIn('attachment; filename="film-x2.mp4"')).toBe('film-x2.mp4');
  expect(namedIn(`attachment; filename*=utf-8''%E5%BD%B1.mp4`)).toBe('影.mp4');
  expect(namedIn(null)).toBeNull();
});

test('films need what is installed', () => {
  const task = { name: 'upscale-video', summary: '', takes_mask: false, takes_video: true, fields: [] };
  expect(canFilms([{ ...task, available: true }])).toBe(true);
  expect(canFilms([{ ...task, available: false }])).toBe(false);
  expect(canFilms([])).toBe(false);
});
