/** What the page and its worker tell each other. One job at a time; to end one, the page ends the worker. */

import {
  ProcessError,
  type Note,
  type ProcessErrorCode,
  type ProcessOptions,
  type ProcessStage,
  type ProblemInfo,
} from '../../processor';

export type Request =
  | { kind: 'run'; job: number; file: Blob; mask: Blob | null; options: ProcessOptions }
  /** Fetch what a job would need, so that it lies in the browser's cache. */
  | { kind: 'prefetch'; job: number };

export interface StageProgress {
  stage: ProcessStage;
  done: number;
  total: number;
  fraction: number;
}

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

/** A `ProcessError` without its class, which does not survive the way. */
export interface Failure {
  code: ProcessErrorCode;
  message: string;
  values: Record<string, string | number>;
  retryable: boolean;
  problem: ProblemInfo | null;
}

export type Reply =
  | { kind: 'progress'; job: number; progress: StageProgress }
  | { kind: 'done'; job: number; result: Finished }
  | { kind: 'prefetched'; job: number }
  | { kind: 'failed'; job: number; failure: Failure };

export function failureOf(error: unknown): Failure {
  const known = error instanceof ProcessError ? error : asProcessError(error);
  const { code, message, values, retryable, problem } = known;
  return { code, message, values, retryable, problem };
}

export function errorOf(failure: Failure): ProcessError {
  return new ProcessError(failure.code, failure.message, failure);
}

/** What browsers and the runtime say when there is no memory left; they have no error class for it. */
const MEMORY_SIGNS = /out of memory|bad_alloc|allocation failed|allocation size|failed to allocate|OOM/i;

function asProcessError(error: unknown): ProcessError {
  const message = error instanceof Error ? error.message : String(error);
  const isMemory = MEMORY_SIGNS.test(message);
  return new ProcessError(isMemory ? 'out-of-memory' : 'failed', message, {
    retryable: isMemory,
    cause: error,
  });
}
