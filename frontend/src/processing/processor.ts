/**
 * The seam between the app and whatever computes: the service (`remote.ts`), this browser
 * (`browser/index.ts`), or whichever of them can (`automatic.ts`).
 *
 * What a processor promises:
 * - `process` resolves with a complete, encoded file, or rejects; never with half a result.
 * - It rejects with a `ProcessError`, and with the signal's reason (an `AbortError`) once `signal` is
 *   aborted. It stops within one tile of that.
 * - `onProgress` is called in order, from 0 on, and never after the promise has settled. `done / total` grows
 *   only within a stage. It tells what has happened, not what a timer guesses.
 * - Several calls may be under way at once; a processor that can do one at a time queues the others and tells
 *   them stage `queued`.
 * - Texts for people are given as a key of the translations (`notes.*`, `errors.*` in `src/i18n/`) with its
 *   values, and in English for where there is none.
 */

export type ProcessingMode = 'server' | 'browser';
export type ModelTask = 'upscale' | 'inpaint';
export type OutputFormat = 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff';

/** `scale`: a factor from 1 to 8. `size`: exact pixels; a side that is null follows from the other. */
export type TargetSize =
  { kind: 'scale'; factor: number } | { kind: 'size'; widthPx: number | null; heightPx: number | null };

interface OutputOptions {
  format: OutputFormat;
  /** 1 to 100, for JPEG, WebP and AVIF; null: the format's default (92, 88, 65). */
  quality: number | null;
  /** Take the first frame of an animation or a file of several pages, instead of refusing it. */
  firstFrame: boolean;
}

/** What enlarging takes. model: an id; null: the default one. denoise: 0 to 1, for models that have it. */
export interface Enlargement {
  model: string | null;
  target: TargetSize;
  denoise: number | null;
}

export interface UpscaleOptions extends OutputOptions, Enlargement {
  task: 'upscale';
}

export interface InpaintOptions extends OutputOptions {
  task: 'inpaint';
  /** An id; null: the built-in filling, `pixelmend-fill`. */
  model: string | null;
  /** The mask is widened by it before anything is filled; 0 to 256 px of the image. */
  maskGrowPx: number;
  /** Width of the soft edge, at most `maskGrowPx`. */
  maskFeatherPx: number;
  /** Enlarge what was filled, in the same job. */
  thenUpscale: Enlargement | null;
}

export type ProcessOptions = UpscaleOptions | InpaintOptions;

export interface ProcessInput {
  /** The encoded image, as the user gave it. Its type may be wrong: look at its bytes. */
  file: Blob;
  /** For the name of the result. */
  fileName: string;
  /**
   * For `inpaint`: an 8-bit greyscale PNG, white (>= 128) is removed; as large as the image after its
   * orientation was applied. An empty mask is no error: the image comes back, with a note.
   */
  mask?: Blob;
  /**
   * A job of the service that was begun for the very same input and options, by a page that is gone.
   * `remote.ts` follows it; the browser ignores it.
   */
  resumeJobId?: string;
}

export type ProcessStage =
  'queued' | 'uploading' | 'loading-model' | 'decoding' | 'computing' | 'encoding' | 'downloading';

export interface ProcessProgress {
  stage: ProcessStage;
  /** In the stage's own unit: bytes, or tiles for `computing`. `total` is 0 while it is unknown. */
  done: number;
  total: number;
  /** Of all stages together, 0 to 1; what the bar shows. */
  fraction: number;
  /** In the queue, from 1. */
  place?: number | null;
  etaS?: number | null;
  /** The service's job, as soon as there is one: whoever keeps it can resume. */
  jobId?: string;
  /** Which one works: with `automatic.ts` it may change in the middle, and `note` then says why. */
  mode: ProcessingMode;
  note?: Note;
}

export interface Note {
  /** Of `notes.*` in the translations; null: only `text`, as the service told it. */
  key: string | null;
  values?: Record<string, string | number>;
  text: string;
}

export interface ProcessTiming {
  totalMs: number;
  decodeMs?: number;
  computeMs?: number;
  encodeMs?: number;
}

export interface ProcessResult {
  /** The encoded file, its type set. */
  blob: Blob;
  width: number;
  height: number;
  mode: ProcessingMode;
  /** The model that did it. */
  model: string;
  /** What ran it, as `cpu; Xeon`, `webgpu`, `wasm, 4 threads`; for people. */
  device: string;
  /** What could not be kept, what was done differently; empty where all is as asked. */
  notes: Note[];
  timing: ProcessTiming;
  jobId?: string;
}

export type ProcessErrorCode =
  /** No answer, or the connection was lost and did not come back. */
  | 'unreachable'
  /** The service answers, and says that it takes no work now. */
  | 'not-ready'
  /** 429 and 503: the queue or the quota is full. */
  | 'busy'
  /** The service has no such job any more, or ended it without a result that would be the input's fault. */
  | 'job-lost'
  /** The service refused the work for a reason of the work's own; `problem` has it. */
  | 'refused'
  /** This browser cannot compute, or not this: no engine, no model of that id, no encoder for the format. */
  | 'browser-unavailable'
  | 'model-unavailable'
  | 'format-unavailable'
  | 'undecodable'
  | 'too-large'
  | 'out-of-memory'
  | 'failed';

/** The part of a problem (RFC 9457) that is shown. */
export interface ProblemInfo {
  type: string;
  title: string;
  detail: string;
  requestId: string | null;
}

export class ProcessError extends Error {
  readonly code: ProcessErrorCode;
  /** Values for the translation `errors.<code>`. */
  readonly values: Record<string, string | number>;
  /** The same may succeed later. */
  readonly retryable: boolean;
  readonly retryAfterS: number | null;
  readonly problem: ProblemInfo | null;

  constructor(
    code: ProcessErrorCode,
    message: string,
    more: {
      values?: Record<string, string | number>;
      retryable?: boolean;
      retryAfterS?: number | null;
      problem?: ProblemInfo | null;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = 'ProcessError';
    this.code = code;
    this.values = more.values ?? {};
    this.retryable = more.retryable ?? false;
    this.retryAfterS = more.retryAfterS ?? null;
    this.problem = more.problem ?? null;
  }
}

export interface ProcessorModel {
  id: string;
  title: string;
  task: ModelTask;
  /** Its own factor; null where it has none or it is not known yet. */
  scale: number | null;
  /** Takes `denoise`. */
  denoise: boolean;
}

/** What a processor can do now. Asking is cheap: it loads no weights and no runtime. */
export interface Capabilities {
  available: boolean;
  /** Why not, in English; shown where there is no translation `capabilities.<reasonKey>`. */
  reason: string | null;
  reasonKey: string | null;
  models: readonly ProcessorModel[];
  formats: readonly OutputFormat[];
  /** Largest input and result that it takes; null: no limit of its own. */
  maxInputPixels: number | null;
  maxOutputPixels: number | null;
}

export interface Processor {
  capabilities(): Promise<Capabilities>;

  process(
    input: ProcessInput,
    options: ProcessOptions,
    onProgress: (progress: ProcessProgress) => void,
    signal: AbortSignal,
  ): Promise<ProcessResult>;
}
