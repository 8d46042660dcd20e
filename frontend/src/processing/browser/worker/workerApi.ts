/** What the worker does for the page. It runs one call at a time; to end a call, the page ends the worker. */

import { ProcessError, type ProblemInfo, type ProcessErrorCode, type TextValues } from '../../../lib/errors';
import type { TaskOptions } from '../../options';
import type { Note, ProcessProgress } from '../../processor';

export interface Job {
  file: Blob;
  mask: Blob | null;
  options: TaskOptions;
}

export type StageProgress = Pick<ProcessProgress, 'stage' | 'done' | 'total' | 'fraction'>;

export interface Finished {
  blob: Blob;
  width: number;
  height: number;
  model: string;
  device: string;
  notes: Note[];
  decodeMs: number;
  computeMs: number;
  encodeMs: number;
}

/** A `ProcessError` as plain values: the class and its fields do not survive the way between threads. */
export interface Failure {
  code: ProcessErrorCode;
  message: string;
  values: TextValues;
  retryable: boolean;
  problem: ProblemInfo | null;
}

export type Outcome<Result> = { result: Result } | { failure: Failure };

export interface WorkerApi {
  /** No progress is reported after the promise has settled. */
  run(job: Job, onProgress: (progress: StageProgress) => void): Promise<Outcome<Finished>>;
  /** Fetches what a job would need into the browser's cache. */
  prefetch(): Promise<Outcome<null>>;
}

export function failureOf(error: unknown): Failure {
  const known = error instanceof ProcessError ? error : asProcessError(error);
  const { code, message, values, retryable, problem } = known;
  return { code, message, values, retryable, problem };
}

export function errorOf(failure: Failure): ProcessError {
  return new ProcessError(failure.code, failure.message, failure);
}

/** How browsers and the runtime say that no memory is left; they have no error class for it. */
const MEMORY_SIGNS = /out of memory|bad_alloc|allocation failed|allocation size|failed to allocate|OOM/i;

function asProcessError(error: unknown): ProcessError {
  const message = error instanceof Error ? error.message : String(error);
  const isMemory = MEMORY_SIGNS.test(message);
  return new ProcessError(isMemory ? 'out-of-memory' : 'failed', message, {
    retryable: isMemory,
    cause: error,
  });
}
