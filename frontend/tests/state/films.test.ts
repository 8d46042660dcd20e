import { afterEach, expect, test, vi } from 'vitest';
import { Api, type Job } from '../../src/api/client';
import { DEFAULT_LIMITS } from '../../src/api/constants';
import { checkFilm, type FilmReader } from '../../src/files/film';
import { createStore } from '../../src/lib/store';
import { createFilmRunner, filmForm } from '../../src/state/filmRunner';
import { type FilmsAction, type FilmsState, NO_FILMS, reduceFilms } from '../../src/state/films';
import { FakeService, job, json } from '../processing/fakeService';

const FILM = new File(['film'], 'film.mp4');
const services: FakeService[] = [];

afterEach(async () => {
  for (const service of services.splice(0)) await service.stop();
});

function after(...actions: FilmsAction[]): FilmsState {
  return actions.reduce(reduceFilms, NO_FILMS);
}

function filmJob(id: string, state: string): Job {
  return { ...job(state), id, task: 'upscale-video', file_name: `${id}.mp4` } as unknown as Job;
}

const ADDED: FilmsAction = { type: 'added', id: 'a', file: FILM, fileName: 'film.mp4' };
const CHECKED: FilmsAction = { type: 'checked', id: 'a', facts: null, refusal: null };
const STARTED: FilmsAction = { type: 'started', id: 'a' };

function progressed(jobId?: string): FilmsAction {
  const progress = { stage: 'computing', done: 1, total: 9, fraction: 0.1, mode: 'server', jobId } as const;
  return { type: 'progressed', id: 'a', progress };
}

test('a film goes from chosen to done, and late events change nothing', () => {
  const done = filmJob('j', 'done');
  const state = after(ADDED, CHECKED, STARTED, progressed('j'), { type: 'finished', id: 'a', job: done });
  expect(state.films[0]).toMatchObject({ state: 'done', jobId: 'j', job: done });
  expect(reduceFilms(state, { type: 'cancelled', id: 'a' })).toBe(state);
  const cancelled = after(ADDED, CHECKED, STARTED, { type: 'cancelled', id: 'a' });
  expect(reduceFilms(cancelled, progressed('j')).films).toEqual(cancelled.films);
});

test('a trial stands before the film that it is of, which stays', () => {
  const part = { startS: 4, seconds: 3 };
  const state = after(ADDED, CHECKED, { type: 'copied', id: 'b', from: 'a', part });
  expect(state.films.map(({ id, state: now }) => [id, now])).toEqual([
    ['b', 'ready'],
    ['a', 'ready'],
  ]);
  expect(state.films[0]).toMatchObject({ part, file: FILM });
  expect(state.selectedId).toBe('b');
});

test('jobs of earlier pages are found once, and not those with nothing to see', () => {
  const jobs = ['running', 'done', 'failed', 'cancelled', 'expired'].map((state) => filmJob(state, state));
  const state = after({ type: 'found', jobs });
  expect(state.films.map(({ id, state: now }) => [id, now])).toEqual([
    ['running', 'running'],
    ['done', 'done'],
  ]);
  expect(reduceFilms(state, { type: 'found', jobs })).toBe(state);
});

test('a job that was found is not shown twice when its film is sent again', () => {
  const found: FilmsAction = { type: 'found', jobs: [filmJob('j', 'done')] };
  const state = after(found, ADDED, CHECKED, STARTED, progressed('j'));
  expect(state.films.map(({ id }) => id)).toEqual(['a']);
});

test('the selection moves to a neighbour of a removed film', () => {
  const second: FilmsAction = { type: 'added', id: 'b', file: FILM, fileName: 'other.mp4' };
  expect(after(ADDED, second, { type: 'removed', id: 'b' }).selectedId).toBe('a');
  expect(after(ADDED, { type: 'removed', id: 'a' }).selectedId).toBeNull();
});

test('the form names the task before its file', () => {
  const form = filmForm({ task: 'upscale-video', scale: 2 }, FILM, 'film.mp4');
  expect([...form.keys()]).toEqual(['task', 'scale', 'file']);
});

test('a running job of an earlier page is followed to its end, through a broken connection', async () => {
  const event = (state: string) => `event: state\nid: 1\ndata: ${JSON.stringify(filmJob('j', state))}\n\n`;
  let connections = 0;
  const service = new FakeService({
    'GET /api/jobs': json({ jobs: [filmJob('j', 'running'), { ...filmJob('i', 'done'), task: 'upscale' }] }),
    'GET /api/jobs/j/events': (_, response) => {
      connections += 1;
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.end(event(connections === 1 ? 'running' : 'done'));
    },
  });
  services.push(service);
  const films = createStore(reduceFilms, NO_FILMS);
  const baseUrl = await service.start();
  const runner = createFilmRunner({
    api: new Api({ baseUrl, apiKey: () => '' }),
    films,
    limits: () => Promise.resolve(DEFAULT_LIMITS),
    reader: UNABLE,
    reconnectMs: [1, 1, 1],
  });
  await runner.findJobs();
  expect(films.get().films.map(({ id }) => id)).toEqual(['j']);
  await vi.waitFor(() => expect(films.get().films[0]?.state).toBe('done'));
  expect(connections).toBe(2);
});

const UNABLE: FilmReader = {
  film: () => Promise.resolve(null),
  frames: () => Promise.resolve(null),
  size: () => Promise.resolve(null),
};

test('what is no film is refused here only if that is certain', async () => {
  const limits = { ...DEFAULT_LIMITS, max_video_bytes: 100 };
  const check = (bytes: BlobPart) => checkFilm(new Blob([bytes]), limits, UNABLE);
  expect((await check('')).refusal?.key).toBe('refusals.empty');
  expect((await check('x'.repeat(101))).refusal?.key).toBe('films.refusals.tooManyBytes');
  expect(await check('of a kind that only the service knows')).toEqual({ facts: null, refusal: null });
  const still = Buffer.from('47494638396101000100800000000000ffffff2c00000000010001000002024401003b', 'hex');
  expect((await check(still)).refusal?.key).toBe('films.refusals.still');
});

test('an animated AVIF is an animation, whose size the browser tells', async () => {
  const file = new Blob(['\0\0\0\u0018ftypavis', '\0\0\0\0avifmsf1']);
  const seen: FilmReader = {
    ...UNABLE,
    frames: (_, format) => Promise.resolve(format === 'avif' ? 8 : null),
    size: () => Promise.resolve({ widthPx: 64, heightPx: 48 }),
  };
  expect(await checkFilm(file, DEFAULT_LIMITS, seen)).toEqual({
    facts: { widthPx: 64, heightPx: 48, durationS: null, frames: 8, isAnimation: true },
    refusal: null,
  });
  expect(await checkFilm(file, DEFAULT_LIMITS, UNABLE)).toEqual({ facts: null, refusal: null });
});
