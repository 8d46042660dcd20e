/** Sends films to the service and follows their jobs. */

import type { Api, FormFields, Job } from '../api/client';
import { submitJob } from '../api/upload';
import { checkFilm, type FilmLimits, type FilmReader } from '../files/film';
import { ProcessError } from '../lib/errors';
import { newId } from '../lib/id';
import { messageOf } from '../lib/message';
import type { Store } from '../lib/store';
import { FILM_TASK } from '../processing/films';
import { JobFollower } from '../processing/remote/jobFollower';
import { jobProgress, uploadProgress } from '../processing/remote/progress';
import type { FilmsAction, FilmsState } from './films';

export interface FilmRunner {
  add(file: File, fileName: string): void;
  /** fields: of `POST /api/jobs`. The film is one that is not running. */
  start(id: string, fields: FormFields): void;
  cancel(id: string): void;
  /** Also gives up the job and its result. */
  remove(id: string): void;
  /** Finds the jobs of earlier pages, and follows those that run. */
  findJobs(): Promise<void>;
}

export interface FilmRunnerParts {
  api: Api;
  films: Store<FilmsState, FilmsAction>;
  limits: () => Promise<FilmLimits>;
  reader: FilmReader;
  /** Waits before a lost connection is tried again. */
  reconnectMs?: readonly number[];
}

/** A film outlives a restart of the service by hours, so that the page waits for it for some minutes. */
const RECONNECT_MS: readonly number[] = [200, 400, 800, 1600, ...Array<number>(60).fill(5000)];

export function createFilmRunner(parts: FilmRunnerParts): FilmRunner {
  const { api, films } = parts;
  const reconnectMs = parts.reconnectMs ?? RECONNECT_MS;
  const running = new Map<string, AbortController>();

  const run = async (id: string, begin: (signal: AbortSignal) => Promise<Job>) => {
    const controller = new AbortController();
    const { signal } = controller;
    running.set(id, controller);
    const dispatch = (action: FilmsAction) => {
      if (running.get(id) === controller) films.dispatch(action);
    };
    try {
      const job = await begin(signal);
      const giveUp = () => void api.cancelJob(job.id).catch(() => undefined);
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
      dispatch({ type: 'progressed', id, progress: jobProgress(job) });
      const ended = await follow(api, job, reconnectMs, signal, (progress) =>
        dispatch({ type: 'progressed', id, progress }),
      );
      signal.removeEventListener('abort', giveUp);
      dispatch({ type: 'finished', id, job: ended });
    } catch (error) {
      dispatch({ type: 'failed', id, message: messageOf(error) });
    } finally {
      if (running.get(id) === controller) running.delete(id);
    }
  };

  const end = (id: string) => {
    const controller = running.get(id);
    running.delete(id);
    controller?.abort(new DOMException('cancelled', 'AbortError'));
  };

  return {
    add: (file, fileName) => {
      const id = newId();
      films.dispatch({ type: 'added', id, file, fileName });
      const check = async () => checkFilm(file, await parts.limits(), parts.reader);
      void check().then((checked) => films.dispatch({ type: 'checked', id, ...checked }));
    },
    start: (id, fields) => {
      const film = films.get().films.find((one) => one.id === id);
      if (!film?.file || running.has(id)) return;
      films.dispatch({ type: 'started', id });
      const form = filmForm(fields, film.file, film.fileName);
      const onSent = (done: number, total: number) =>
        films.dispatch({ type: 'progressed', id, progress: uploadProgress(done, total) });
      void run(id, (signal) => submitJob(api, form, onSent, signal));
    },
    cancel: (id) => {
      end(id);
      films.dispatch({ type: 'cancelled', id });
    },
    remove: (id) => {
      const film = films.get().films.find((one) => one.id === id);
      end(id);
      const isShared = films.get().films.some((one) => one.id !== id && one.jobId === film?.jobId);
      if (film?.state === 'done' && film.jobId && !isShared)
        void api.cancelJob(film.jobId).catch(() => undefined);
      films.dispatch({ type: 'removed', id });
    },
    findJobs: async () => {
      const jobs = (await api.jobs()).filter(({ task }) => task === FILM_TASK);
      films.dispatch({ type: 'found', jobs });
      for (const { id, state, jobId } of films.get().films) {
        const job = jobs.find((one) => one.id === jobId);
        if (job && state === 'running' && !running.has(id)) void run(id, () => Promise.resolve(job));
      }
    },
  };
}

/** The fields come before the file, since the service reads the form in its order. */
export function filmForm(fields: FormFields, file: File, fileName: string): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  form.append('file', file, fileName);
  return form;
}

/** Resolves with the job as it ended. A service that is shutting down goes on with the job when it is back. */
async function follow(
  api: Api,
  job: Job,
  reconnectMs: readonly number[],
  signal: AbortSignal,
  onProgress: ConstructorParameters<typeof JobFollower>[2],
): Promise<Job> {
  for (const waitMs of reconnectMs) {
    try {
      return await new JobFollower(api, job, onProgress, signal, reconnectMs).end();
    } catch (error) {
      if (!(error instanceof ProcessError) || error.code !== 'not-ready') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    signal.throwIfAborted();
  }
  return new JobFollower(api, job, onProgress, signal, reconnectMs).end();
}
