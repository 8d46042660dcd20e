/** The films of the page: chosen ones, and those that the service works on or has finished. */

import type { Job } from '../api/client';
import type { FilmFacts } from '../files/film';
import type { Message } from '../lib/message';
import type { FilmPart } from '../processing/films';
import type { ProcessProgress } from '../processing/processor';

/** checking: it is being measured. refused: it will not be sent. running: it is being sent, or is the service's job. */
export type FilmState = 'checking' | 'refused' | 'ready' | 'running' | 'done' | 'failed' | 'cancelled';

export interface Film {
  id: string;
  fileName: string;
  /** null for a job of an earlier page, whose file this page does not have. */
  file: File | null;
  facts: FilmFacts | null;
  state: FilmState;
  /** null: the whole film. */
  part: FilmPart | null;
  progress: ProcessProgress | null;
  /** The service's job, once it is known. */
  jobId: string | null;
  /** The job as it ended. */
  job: Job | null;
  message: Message | null;
}

export interface FilmsState {
  /** The newest first. */
  films: readonly Film[];
  selectedId: string | null;
}

export type FilmsAction =
  | { type: 'added'; id: string; file: File; fileName: string }
  | { type: 'copied'; id: string; from: string; part: FilmPart | null }
  | { type: 'found'; jobs: readonly Job[] }
  | { type: 'checked'; id: string; facts: FilmFacts | null; refusal: Message | null }
  | { type: 'original'; id: string; file: File }
  | { type: 'started'; id: string }
  | { type: 'progressed'; id: string; progress: ProcessProgress }
  | { type: 'finished'; id: string; job: Job }
  | { type: 'failed'; id: string; message: Message }
  | { type: 'cancelled'; id: string }
  | { type: 'removed'; id: string }
  | { type: 'selected'; id: string };

export const NO_FILMS: FilmsState = { films: [], selectedId: null };

/** What is worth showing of the service's jobs. A cancelled or expired one has nothing left to see. */
const FOUND_STATES: Readonly<Record<string, FilmState | undefined>> = {
  queued: 'running',
  running: 'running',
  done: 'done',
};

export function reduceFilms(state: FilmsState, action: FilmsAction): FilmsState {
  switch (action.type) {
    case 'added': {
      const { id, file, fileName } = action;
      const film: Film = { ...emptyFilm(id, fileName), file, state: 'checking' };
      return { films: [film, ...state.films], selectedId: id };
    }
    case 'copied': {
      const source = state.films.find((film) => film.id === action.from);
      if (!source) return state;
      const { file, facts, fileName } = source;
      const film: Film = { ...emptyFilm(action.id, fileName), file, facts, part: action.part };
      return { films: [film, ...state.films], selectedId: action.id };
    }
    case 'found': {
      const known = new Set(state.films.map((film) => film.jobId));
      const films = action.jobs.filter((job) => !known.has(job.id)).flatMap(foundFilm);
      if (films.length === 0) return state;
      return { films: [...state.films, ...films], selectedId: state.selectedId ?? films[0]?.id ?? null };
    }
    case 'checked':
      return change(state, action.id, ['checking'], {
        facts: action.facts,
        message: action.refusal,
        state: action.refusal ? 'refused' : 'ready',
      });
    case 'original':
      return change(state, action.id, ['running', 'done'], { file: action.file });
    case 'started':
      return change(state, action.id, ['ready', 'failed', 'cancelled'], {
        state: 'running',
        message: null,
        progress: null,
        jobId: null,
      });
    case 'progressed':
      return change(withoutFound(state, action), action.id, ['running'], {
        progress: action.progress,
        ...(action.progress.jobId === undefined ? {} : { jobId: action.progress.jobId }),
      });
    case 'finished':
      return change(state, action.id, ['running'], {
        state: 'done',
        job: action.job,
        jobId: action.job.id,
        progress: null,
      });
    case 'failed':
      return change(state, action.id, ['running'], {
        state: 'failed',
        message: action.message,
        progress: null,
        jobId: null,
      });
    case 'cancelled':
      return change(state, action.id, ['running'], { state: 'cancelled', progress: null, jobId: null });
    case 'removed': {
      const at = state.films.findIndex((film) => film.id === action.id);
      if (at < 0) return state;
      const films = state.films.filter((film) => film.id !== action.id);
      const neighbour = films[Math.min(at, films.length - 1)]?.id ?? null;
      return { films, selectedId: state.selectedId === action.id ? neighbour : state.selectedId };
    }
    case 'selected':
      return state.selectedId === action.id ? state : { ...state, selectedId: action.id };
  }
}

function emptyFilm(id: string, fileName: string): Film {
  return {
    id,
    fileName,
    file: null,
    facts: null,
    state: 'ready',
    part: null,
    progress: null,
    jobId: null,
    job: null,
    message: null,
  };
}

/** The service answers the same film and options with the same job, which may have been found before. */
function withoutFound(
  state: FilmsState,
  { id, progress }: { id: string; progress: ProcessProgress },
): FilmsState {
  const films = state.films.filter((film) => film.id === id || film.id !== progress.jobId);
  return films.length === state.films.length ? state : { ...state, films };
}

function foundFilm(job: Job): Film[] {
  const state = FOUND_STATES[job.state];
  if (state === undefined) return [];
  const found = { ...emptyFilm(job.id, job.file_name ?? job.id), state, jobId: job.id };
  return [state === 'done' ? { ...found, job } : found];
}

/** An event that comes too late, when the film is in another state, changes nothing. */
function change(
  state: FilmsState,
  id: string,
  from: readonly FilmState[],
  changes: Partial<Film>,
): FilmsState {
  const at = state.films.findIndex((film) => film.id === id);
  const film = state.films[at];
  if (!film || !from.includes(film.state)) return state;
  return { ...state, films: state.films.with(at, { ...film, ...changes }) };
}
