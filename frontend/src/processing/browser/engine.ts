/** The page's side of the worker: one job runs, the others wait in order. Loaded with the first job. */

import { ProcessError } from '../../lib/errors';
import type { Processor, ProcessProgress, ProcessResult } from '../processor';
import { startWorker, type EngineWorker } from './startWorker';
import { errorOf, failureOf, type Finished, type Outcome, type WorkerApi } from './worker/workerApi';

/** The memory of WebAssembly never shrinks, so an idle worker is ended. */
const IDLE_MS = 60_000;

interface QueuedJob {
  work: (worker: WorkerApi) => Promise<Outcome<unknown>>;
  onPlace: (place: number) => void;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

export class Engine {
  private readonly startWorker: () => EngineWorker;
  private readonly idleMs: number;
  private readonly waiting: QueuedJob[] = [];
  private worker: EngineWorker | null = null;
  private running: QueuedJob | null = null;
  private idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(start: () => EngineWorker = startWorker, idleMs = IDLE_MS) {
    this.startWorker = start;
    this.idleMs = idleMs;
  }

  process: Processor['process'] = async (input, options, onProgress, signal) => {
    signal.throwIfAborted();
    const startedMs = performance.now();
    const job = { file: input.file, mask: input.mask ?? null, options };
    let isSettled = false;
    const finished = await this.enqueue<Finished>(
      (worker) =>
        worker.run(job, (progress) => {
          if (!isSettled) onProgress({ ...progress, mode: 'browser' });
        }),
      (place) => onProgress(queued(place)),
      signal,
    ).finally(() => (isSettled = true));
    return resultOf(finished, performance.now() - startedMs);
  };

  /** Fetches the engine's files into the browser's cache. */
  async prefetch(): Promise<void> {
    await this.enqueue<null>(
      (worker) => worker.prefetch(),
      () => undefined,
    );
  }

  private enqueue<Result>(
    work: (worker: WorkerApi) => Promise<Outcome<Result>>,
    onPlace: (place: number) => void,
    signal?: AbortSignal,
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const onAbort = () => this.abort(job, signal?.reason as Error);
      const job: QueuedJob = {
        work,
        onPlace,
        resolve: (result) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(result as Result);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.waiting.push(job);
      onPlace(this.waiting.length);
      this.next();
    });
  }

  private next(): void {
    if (this.running !== null) return;
    const job = this.waiting.shift();
    if (job === undefined) {
      this.idleTimer = setTimeout(() => this.endWorker(), this.idleMs);
      return;
    }
    clearTimeout(this.idleTimer);
    this.waiting.forEach((other, at) => other.onPlace(at + 1));
    this.running = job;
    void this.run(job);
  }

  private async run(job: QueuedJob): Promise<void> {
    try {
      this.worker ??= this.openWorker();
    } catch (error) {
      this.fail(`no worker: ${String(error)}`, false);
      return;
    }
    const outcome = await job
      .work(this.worker.api)
      .catch((error: unknown) => ({ failure: failureOf(error) }));
    // An aborted job, and one whose worker died, is settled already.
    if (this.running !== job) return;
    this.running = null;
    if ('failure' in outcome) {
      // Memory that ran out does not come back before the worker ends.
      if (outcome.failure.code === 'out-of-memory') this.endWorker();
      job.reject(errorOf(outcome.failure));
    } else {
      job.resolve(outcome.result);
    }
    this.next();
  }

  private openWorker(): EngineWorker {
    const worker = this.startWorker();
    worker.onDeath((message) => {
      if (this.worker === worker) this.fail(message, true);
    });
    return worker;
  }

  private abort(job: QueuedJob, reason: Error): void {
    const place = this.waiting.indexOf(job);
    if (place >= 0) this.waiting.splice(place, 1);
    const wasRunning = this.running === job;
    if (wasRunning) {
      this.running = null;
      this.endWorker();
    }
    job.reject(reason);
    if (wasRunning) this.next();
  }

  private fail(message: string, retryable: boolean): void {
    const job = this.running;
    this.running = null;
    this.endWorker();
    job?.reject(new ProcessError('browser-unavailable', message, { retryable }));
    this.next();
  }

  private endWorker(): void {
    this.worker?.end();
    this.worker = null;
  }
}

function queued(place: number): ProcessProgress {
  return { stage: 'queued', done: 0, total: 0, fraction: 0, place, mode: 'browser' };
}

function resultOf(finished: Finished, totalMs: number): ProcessResult {
  const { decodeMs, computeMs, encodeMs, ...rest } = finished;
  return { ...rest, mode: 'browser', timing: { totalMs, decodeMs, computeMs, encodeMs } };
}
