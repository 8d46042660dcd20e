/** The page's side of the worker: one job at a time, the others wait in order. Loaded with the first job. */

import {
  ProcessError,
  type Processor,
  type ProcessInput,
  type ProcessOptions,
  type ProcessProgress,
  type ProcessResult,
} from '../processor';
import { errorOf, type Finished, type Reply, type Request } from './worker/protocol';

/** WebAssembly memory never shrinks: a worker with nothing to do is ended. */
const IDLE_MS = 60_000;

export type Process = Processor['process'];

/** What is needed of a `Worker`; tests bring one of their own. */
export interface WorkerLike {
  postMessage(message: Request): void;
  terminate(): void;
  addEventListener(kind: 'message', listener: (event: MessageEvent<Reply>) => void): void;
  addEventListener(kind: 'error' | 'messageerror', listener: (event: Event) => void): void;
}

export class Engine {
  private readonly startWorker: () => WorkerLike;
  private readonly idleMs: number;
  private readonly waiting: Waiting[] = [];
  private worker: WorkerLike | null = null;
  private running: Running | null = null;
  private idleTimer: ReturnType<typeof setTimeout> | null = null;
  private jobs = 0;

  constructor(startWorker: () => WorkerLike = newWorker, idleMs = IDLE_MS) {
    this.startWorker = startWorker;
    this.idleMs = idleMs;
  }

  process: Process = (input, options, onProgress, signal) =>
    new Promise<ProcessResult>((resolve, reject) => {
      signal.throwIfAborted();
      const startedMs = performance.now();
      const job: Waiting = {
        request: { kind: 'run', job: this.jobs, file: input.file, mask: input.mask ?? null, options },
        onReply: (reply) => {
          if (reply.kind === 'progress') onProgress({ ...reply.progress, mode: 'browser' });
        },
        onPlace: (place) => onProgress(queued(place)),
        resolve: (result) => {
          signal.removeEventListener('abort', onAbort);
          resolve(resultOf(result, performance.now() - startedMs));
        },
        reject: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      const onAbort = () => this.abort(job, signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      this.enqueue(job);
    });

  /** Fetches the engine's files into the browser's cache. */
  prefetch(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.enqueue({
        request: { kind: 'prefetch', job: this.jobs },
        onReply: () => undefined,
        onPlace: () => undefined,
        resolve: () => resolve(),
        reject,
      });
    });
  }

  private enqueue(job: Waiting): void {
    this.jobs += 1;
    this.waiting.push(job);
    job.onPlace(this.waiting.length);
    this.next();
  }

  private next(): void {
    if (this.running !== null) return;
    const job = this.waiting.shift();
    if (job === undefined) {
      this.idleTimer = setTimeout(() => this.endWorker(), this.idleMs);
      return;
    }
    if (this.idleTimer !== null) clearTimeout(this.idleTimer);
    this.idleTimer = null;
    this.waiting.forEach((other, at) => other.onPlace(at + 1));
    this.running = job;
    try {
      this.worker ??= this.listenTo(this.startWorker());
      this.worker.postMessage(job.request);
    } catch (error) {
      this.fail(new ProcessError('browser-unavailable', `no worker: ${String(error)}`, { cause: error }));
    }
  }

  private listenTo(worker: WorkerLike): WorkerLike {
    worker.addEventListener('message', ({ data }) => {
      if (this.worker === worker) this.receive(data);
    });
    // Its script could not be fetched or run, or it died.
    const onError = (event: Event) => {
      if (this.worker !== worker) return;
      const message =
        event instanceof ErrorEvent && event.message ? event.message : 'the worker could not be loaded';
      this.fail(new ProcessError('browser-unavailable', message, { retryable: true }));
    };
    worker.addEventListener('error', onError);
    worker.addEventListener('messageerror', onError);
    return worker;
  }

  private receive(reply: Reply): void {
    const job = this.running;
    if (job === null || reply.job !== job.request.job) return;
    if (reply.kind === 'progress') {
      job.onReply(reply);
      return;
    }
    this.running = null;
    if (reply.kind === 'failed') {
      // Memory that ran out does not come back before the worker ends.
      if (reply.failure.code === 'out-of-memory') this.endWorker();
      job.reject(errorOf(reply.failure));
    } else {
      job.resolve(reply.kind === 'done' ? reply.result : null);
    }
    this.next();
  }

  private abort(job: Waiting, reason: Error): void {
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

  private fail(error: ProcessError): void {
    const job = this.running;
    this.running = null;
    this.endWorker();
    job?.reject(error);
    this.next();
  }

  private endWorker(): void {
    this.worker?.terminate();
    this.worker = null;
  }
}

interface Waiting {
  request: Request;
  onReply: (reply: Reply) => void;
  onPlace: (place: number) => void;
  /** null: for what has no result. */
  resolve: (result: Finished | null) => void;
  reject: (error: Error) => void;
}

type Running = Waiting;

function queued(place: number): ProcessProgress {
  return { stage: 'queued', done: 0, total: 0, fraction: 0, place, mode: 'browser' };
}

function resultOf(result: Finished | null, totalMs: number): ProcessResult {
  if (result === null) throw new ProcessError('failed', 'the worker gave no result');
  const { decodeMs, computeMs, encodeMs, ...rest } = result;
  return { ...rest, mode: 'browser', timing: { totalMs, decodeMs, computeMs, encodeMs } };
}

function newWorker(): WorkerLike {
  return new Worker(new URL('./worker/main.ts', import.meta.url), {
    type: 'module',
    name: 'pixelmend-engine',
  });
}

export type { ProcessInput, ProcessOptions };
