/**
 * The seam between the app and what computes: the service (`remote.ts`), this browser (`browser/index.ts`), or the one
 * of them that can (`automatic.ts`).
 *
 * What a processor promises:
 * - `process` resolves with a complete, encoded file, or rejects; never with half a result.
 * - It rejects with a `ProcessError`, and with the signal's reason (an `AbortError`) once `signal` is
 *   aborted. It stops within one tile of that.
 * - `onProgress` is called in order, starting from 0, and never after the promise has settled. `done / total` grows
 *   only within a stage. It reports what has happened, not what a timer guesses.
 * - Several calls may be under way at once. A processor that can do only one at a time queues the others and reports
 *   the stage `queued` to them.
 * - Texts for people are given as a key of the translations (`notes.*`, `errors.*` in `src/i18n/`) with its
 *   values, and in English for a key that has no translation.
 */

import type { OutputFormat } from '../api/constants';
import type { TextValues } from '../lib/errors';
import type { Dial, TaskOptions } from './options';

export type ProcessingMode = 'server' | 'browser';

export interface ProcessInput {
  /** The encoded image, as the user gave it. Its declared type may be wrong. */
  file: Blob;
  /** The result is named after it. */
  fileName: string;
  /**
   * For `inpaint`: an 8-bit greyscale PNG, in which white (>= 128) is removed; as large as the image after its
   * orientation was applied. An empty mask is no error: the image comes back, with a note.
   */
  mask?: Blob;
  /**
   * A job of the service that an earlier page began with the same input and options. `remote.ts` follows it; the
   * browser ignores it.
   */
  resumeJobId?: string;
}

export type ProcessStage =
  'queued' | 'uploading' | 'loading-model' | 'decoding' | 'computing' | 'encoding' | 'downloading';

export interface ProcessProgress {
  stage: ProcessStage;
  /** In the unit of the stage: bytes, or tiles for `computing`. `total` is 0 while it is unknown. */
  done: number;
  total: number;
  /** The progress bar: 0 to 1 over all stages together. */
  fraction: number;
  /** The position in the queue, from 1. */
  place?: number | null;
  etaS?: number | null;
  /** The service's job, as soon as there is one. A later page can resume it. */
  jobId?: string;
  /** With `automatic.ts` the mode may change during a job, and `note` then says why. */
  mode: ProcessingMode;
  note?: Note;
}

export interface Note {
  /** A key below `notes.` in the translations; null if there is only the `text` of the service. */
  key: string | null;
  values?: TextValues;
  text: string;
}

export interface ProcessTiming {
  totalMs: number;
  decodeMs?: number;
  computeMs?: number;
  encodeMs?: number;
}

export interface ProcessResult {
  /** The encoded file, with its media type. */
  blob: Blob;
  width: number;
  height: number;
  mode: ProcessingMode;
  /** The id of the model that computed it. */
  model: string;
  /** What it ran on, for people: `cpu; Xeon`, `webgpu`, `wasm, 4 threads`. */
  device: string;
  /** What could not be kept and what was done differently; empty if all is as asked. */
  notes: Note[];
  timing: ProcessTiming;
  jobId?: string;
}

export interface ProcessorModel {
  id: string;
  title: string;
  /** The id of the task that it is for. */
  task: string;
  /** Its own factor; null if it has none or it is not known yet. */
  scale: number | null;
  /** The dials that it has. */
  dials: readonly Dial[];
}

/** What a processor can do now. Asking is cheap: it loads no weights and no runtime. */
export interface Capabilities {
  available: boolean;
  /** Why not, in English; shown if there is no translation `capabilities.<reasonKey>`. */
  reason: string | null;
  reasonKey: string | null;
  models: readonly ProcessorModel[];
  formats: readonly OutputFormat[];
  /** The largest input and result that it takes; null if it has no limit of its own. */
  maxInputPixels: number | null;
  maxOutputPixels: number | null;
}

export type OnProgress = (progress: ProcessProgress) => void;

export interface Processor {
  capabilities(): Promise<Capabilities>;

  process(
    input: ProcessInput,
    options: TaskOptions,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<ProcessResult>;
}
