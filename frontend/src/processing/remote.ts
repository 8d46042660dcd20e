/** Processing by the service: a job, its events, its result. */

import { problemInfo, unreachable, type Api, type Job } from '../api/client';
import { readEvents } from '../api/events';
import { submitJob } from '../api/upload';
import { jobFields } from './form';
import {
  ProcessError,
  type Capabilities,
  type Note,
  type Processor,
  type ProcessInput,
  type ProcessOptions,
  type ProcessProgress,
  type ProcessResult,
} from './processor';

type Report = (progress: ProcessProgress) => void;

/** Of the whole bar: what an upload and a download take of it. */
const UPLOAD_SHARE = 0.1;
const DOWNLOAD_SHARE = 0.1;
/** Waits before a lost connection is tried again; a job outlives a restart of the service. */
const RECONNECT_MS: readonly number[] = [200, 400, 800, 1600];
const FORMATS = ['png', 'jpeg', 'webp', 'avif', 'tiff'] as const;

export function createRemoteProcessor(api: Api, reconnectMs: readonly number[] = RECONNECT_MS): Processor {
  return {
    capabilities: () => capabilities(api),
    process: async (input, options, onProgress, signal) => {
      signal.throwIfAborted();
      const startedMs = performance.now();
      const job =
        (await resumable(api, input, signal)) ?? (await submit(api, input, options, onProgress, signal));
      // Not only once it is told: an abort between two events must end the job as well.
      const cancel = () => void api.cancelJob(job.id).catch(() => undefined);
      signal.addEventListener('abort', cancel, { once: true });
      try {
        onProgress(progressOf(job));
        const done = await new Follower(api, job, onProgress, signal, reconnectMs).end();
        return await download(api, done, onProgress, signal, startedMs);
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
  };
}

async function capabilities(api: Api): Promise<Capabilities> {
  const models = await api.models();
  return {
    available: true,
    reason: null,
    reasonKey: null,
    models: models
      .filter((model) => model.present && (model.task === 'upscale' || model.task === 'inpaint'))
      .map(({ id, title, task, scale, denoise }) => ({ id, title, task, scale, denoise })),
    formats: FORMATS,
    maxInputPixels: null,
    maxOutputPixels: null,
  };
}

/** The job of an earlier page, unless it came to nothing: then the work is handed in anew. */
async function resumable(api: Api, input: ProcessInput, signal: AbortSignal): Promise<Job | null> {
  if (input.resumeJobId === undefined) return null;
  try {
    const job = await api.job(input.resumeJobId, signal);
    return ['queued', 'running', 'done'].includes(job.state) ? job : null;
  } catch (error) {
    if (error instanceof ProcessError && error.code === 'job-lost') return null;
    throw error;
  }
}

async function submit(
  api: Api,
  input: ProcessInput,
  options: ProcessOptions,
  onProgress: Report,
  signal: AbortSignal,
): Promise<Job> {
  const form = new FormData();
  for (const [name, value] of Object.entries(jobFields(options))) form.append(name, String(value));
  form.append('file', input.file, input.fileName);
  if (input.mask) form.append('mask', input.mask, 'mask.png');
  const onSent = (done: number, total: number) =>
    onProgress({
      stage: 'uploading',
      done,
      total,
      fraction: total > 0 ? (UPLOAD_SHARE * done) / total : 0,
      mode: 'server',
    });
  onSent(0, input.file.size);
  return submitJob(api, form, onSent, signal);
}

function progressOf(job: Job): ProcessProgress {
  return {
    stage: job.state === 'queued' ? 'queued' : 'computing',
    done: job.progress.done_tiles,
    total: job.progress.total_tiles,
    fraction: UPLOAD_SHARE + (1 - UPLOAD_SHARE - DOWNLOAD_SHARE) * job.progress.fraction,
    place: job.place,
    etaS: job.eta_s,
    jobId: job.id,
    mode: 'server',
  };
}

/** Follows a job's events over as many connections as it takes. */
class Follower {
  private job: Job;
  private lastEventId = '';
  private readonly api: Api;
  private readonly onProgress: Report;
  private readonly signal: AbortSignal;
  private readonly reconnectMs: readonly number[];

  constructor(api: Api, job: Job, onProgress: Report, signal: AbortSignal, reconnectMs: readonly number[]) {
    this.api = api;
    this.job = job;
    this.onProgress = onProgress;
    this.signal = signal;
    this.reconnectMs = reconnectMs;
  }

  /** The finished job. Rejects with what it ended with otherwise, and where the service stays away. */
  async end(): Promise<Job> {
    let failures = 0;
    while (!hasEnded(this.job)) {
      try {
        const wasTold = await this.connection();
        failures = wasTold ? 0 : failures + 1;
      } catch (error) {
        this.signal.throwIfAborted();
        if (!(error instanceof ProcessError) || error.code !== 'unreachable') throw error;
        failures += 1;
      }
      if (hasEnded(this.job)) break;
      const waitMs = this.reconnectMs[Math.max(0, failures - 1)];
      if (waitMs === undefined) throw unreachable(new Error(`the events of job ${this.job.id} ended`));
      await pause(waitMs, this.signal);
    }
    if (this.job.state === 'done') return this.job;
    throw endedWith(this.job);
  }

  /** One connection, until it ends; whether it has told anything. */
  private async connection(): Promise<boolean> {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (this.lastEventId) headers['Last-Event-ID'] = this.lastEventId;
    const path = `/api/jobs/${encodeURIComponent(this.job.id)}/events`;
    const response = await this.api.fetch(path, { headers, signal: this.signal });
    let wasTold = false;
    try {
      for await (const event of readEvents(response.body ?? emptyStream())) {
        wasTold = true;
        if (event.name === 'drain') throw draining();
        if (event.name !== 'state' && event.name !== 'progress') continue;
        if (event.id) this.lastEventId = event.id;
        this.job = JSON.parse(event.data) as Job;
        if (hasEnded(this.job)) return true;
        this.onProgress(progressOf(this.job));
      }
    } catch (error) {
      this.signal.throwIfAborted();
      if (error instanceof ProcessError) throw error;
      // The connection broke. What it told before is progress, so the waits begin anew.
      if (!wasTold) throw unreachable(error);
    }
    return wasTold;
  }
}

function hasEnded(job: Job): boolean {
  return job.state !== 'queued' && job.state !== 'running';
}

function draining(): ProcessError {
  return new ProcessError('not-ready', 'The service is shutting down.', { retryable: true });
}

function endedWith(job: Job): ProcessError {
  const problem = job.problem ? problemInfo(job.problem) : null;
  const detail = problem?.detail ?? `The job ended as ${job.state}.`;
  const retryable = job.problem?.retryable ?? true;
  // A job that nobody here cancelled, or that is gone, is no answer about the image.
  if (problem === null || job.state !== 'failed')
    return new ProcessError('job-lost', detail, { problem, retryable });
  const isSaturation = job.problem?.status === 503 || job.problem?.status === 504;
  return new ProcessError(isSaturation ? 'busy' : 'refused', detail, { problem, retryable });
}

async function download(
  api: Api,
  job: Job,
  onProgress: Report,
  signal: AbortSignal,
  startedMs: number,
): Promise<ProcessResult> {
  const response = await api.fetch(`/api/jobs/${encodeURIComponent(job.id)}/result`, { signal });
  const total = job.result?.size_bytes ?? 0;
  const blob = await readBlob(response, total, signal, (done) =>
    onProgress({
      stage: 'downloading',
      done,
      total,
      fraction: 1 - DOWNLOAD_SHARE + (total > 0 ? (DOWNLOAD_SHARE * done) / total : 0),
      jobId: job.id,
      mode: 'server',
    }),
  );
  const header = (name: string) => response.headers.get(`X-Pixelmend-${name}`);
  return {
    blob,
    width: job.result?.width ?? 0,
    height: job.result?.height ?? 0,
    mode: 'server',
    model: header('Model') ?? job.model,
    device: [header('Device'), header('Precision')].filter(Boolean).join('; '),
    notes: notesOf(header('Not-Kept'), header('Notes')),
    timing: {
      totalMs: performance.now() - startedMs,
      ...serverTiming(response.headers.get('Server-Timing')),
    },
    jobId: job.id,
  };
}

/** Chunks are handed to the browser as they come; it may keep them on disk. */
async function readBlob(
  response: Response,
  totalBytes: number,
  signal: AbortSignal,
  onBytes: (done: number) => void,
): Promise<Blob> {
  const reader = (response.body ?? emptyStream()).getReader();
  const parts: Blob[] = [];
  let done = 0;
  try {
    for (;;) {
      const chunk = await reader.read();
      if (chunk.done) break;
      parts.push(new Blob([chunk.value as Uint8Array<ArrayBuffer>]));
      done += chunk.value.byteLength;
      onBytes(done);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(error);
  }
  if (totalBytes > 0 && done !== totalBytes)
    throw unreachable(new Error(`${done} of ${totalBytes} bytes came`));
  return new Blob(parts, { type: response.headers.get('content-type') ?? '' });
}

function notesOf(notKept: string | null, notes: string | null): Note[] {
  const found: Note[] = [];
  if (notKept) found.push({ key: 'notKept', values: { what: notKept }, text: `Not kept: ${notKept}` });
  for (const text of notes?.split('; ') ?? []) found.push({ key: null, text });
  return found;
}

function serverTiming(header: string | null): { decodeMs?: number; computeMs?: number; encodeMs?: number } {
  const of = (name: string) => {
    const found = new RegExp(`\\b${name};dur=([\\d.]+)`).exec(header ?? '');
    return found ? Number(found[1]) : undefined;
  };
  return { decodeMs: of('decode'), computeMs: of('device'), encodeMs: of('encode') };
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
