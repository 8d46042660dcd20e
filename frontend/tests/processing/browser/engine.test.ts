import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Engine, type WorkerLike } from '../../../src/processing/browser/engine';
import type { Finished, Reply, Request } from '../../../src/processing/browser/worker/protocol';
import type { ProcessProgress, ProcessResult, UpscaleOptions } from '../../../src/processing/processor';

const IDLE_MS = 1000;
const OPTIONS: UpscaleOptions = {
  task: 'upscale',
  model: null,
  target: { kind: 'scale', factor: 4 },
  denoise: null,
  format: 'png',
  quality: null,
  firstFrame: false,
};
const FINISHED: Finished = {
  blob: new Blob(['x']),
  width: 4,
  height: 4,
  model: 'pixelmend-x4',
  device: 'wasm, 2 threads',
  notes: [],
  decodeMs: 1,
  computeMs: 2,
  encodeMs: 3,
};

class FakeWorker implements WorkerLike {
  readonly requests: Request[] = [];
  ended = false;
  private readonly listeners = new Map<string, (event: never) => void>();

  postMessage(message: Request): void {
    this.requests.push(message);
  }

  terminate(): void {
    this.ended = true;
  }

  addEventListener(kind: string, listener: (event: never) => void): void {
    this.listeners.set(kind, listener);
  }

  reply(message: Partial<Reply>): void {
    const whole = { job: this.requests.at(-1)?.job, ...message };
    this.listeners.get('message')?.({ data: whole } as never);
  }

  die(): void {
    this.listeners.get('error')?.(new Event('error') as never);
  }
}

const workers: FakeWorker[] = [];

function newEngine(): Engine {
  workers.length = 0;
  return new Engine(() => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker;
  }, IDLE_MS);
}

interface Started {
  result: Promise<ProcessResult>;
  progress: ProcessProgress[];
  control: AbortController;
}

function start(engine: Engine): Started {
  const progress: ProcessProgress[] = [];
  const control = new AbortController();
  const input = { file: new Blob(['image']), fileName: 'image.png' };
  const result = engine.process(input, OPTIONS, (now) => progress.push(now), control.signal);
  // Looked at later; a rejection before that is no accident.
  result.catch(() => undefined);
  return { result, progress, control };
}

const last = () => workers.at(-1) as FakeWorker;

beforeEach(() => {
  vi.stubGlobal('ErrorEvent', class extends Event {});
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a result comes with its timing, and the worker serves the next job', async () => {
  const engine = newEngine();
  const first = start(engine);
  last().reply({ kind: 'progress', progress: { stage: 'computing', done: 1, total: 2, fraction: 0.5 } });
  last().reply({ kind: 'done', result: FINISHED });
  expect(await first.result).toMatchObject({ mode: 'browser', width: 4, timing: { computeMs: 2 } });
  expect(first.progress.map((now) => now.stage)).toEqual(['queued', 'computing']);
  const second = start(engine);
  last().reply({ kind: 'done', result: FINISHED });
  await second.result;
  expect(workers).toHaveLength(1);
  // What comes late is nobody's.
  last().reply({ kind: 'progress', job: 0, progress: { stage: 'encoding', done: 0, total: 0, fraction: 1 } });
  expect(first.progress).toHaveLength(2);
});

test('one at a time: the others are told their place', async () => {
  const engine = newEngine();
  const jobs = [start(engine), start(engine), start(engine)];
  expect(last().requests).toHaveLength(1);
  expect(jobs.map((job) => job.progress.at(-1)?.place)).toEqual([1, 1, 2]);
  last().reply({ kind: 'done', result: FINISHED });
  expect(last().requests).toHaveLength(2);
  expect(jobs[2]?.progress.at(-1)?.place).toBe(1);
  last().reply({ kind: 'done', result: FINISHED });
  last().reply({ kind: 'done', result: FINISHED });
  await Promise.all(jobs.map((job) => job.result));
});

test('an abort ends the worker, and the job that waits gets a new one', async () => {
  const engine = newEngine();
  const [first, second] = [start(engine), start(engine)] as const;
  first.control.abort();
  await expect(first.result).rejects.toMatchObject({ name: 'AbortError' });
  expect(workers.map((worker) => worker.ended)).toEqual([true, false]);
  last().reply({ kind: 'done', result: FINISHED });
  await second.result;
});

test('an abort in the queue disturbs nobody', async () => {
  const engine = newEngine();
  const [first, second] = [start(engine), start(engine)] as const;
  second.control.abort();
  await expect(second.result).rejects.toMatchObject({ name: 'AbortError' });
  last().reply({ kind: 'done', result: FINISHED });
  await first.result;
  expect(workers).toHaveLength(1);
  expect(last().requests).toHaveLength(1);
});

test('a worker that is idle for a while is ended, one that works is not', async () => {
  const engine = newEngine();
  const first = start(engine);
  vi.advanceTimersByTime(10 * IDLE_MS);
  expect(last().ended).toBe(false);
  last().reply({ kind: 'done', result: FINISHED });
  await first.result;
  vi.advanceTimersByTime(IDLE_MS - 1);
  expect(last().ended).toBe(false);
  vi.advanceTimersByTime(1);
  expect(last().ended).toBe(true);
});

test('a worker that dies fails its job, which may be tried again', async () => {
  const engine = newEngine();
  const [first, second] = [start(engine), start(engine)] as const;
  last().die();
  await expect(first.result).rejects.toMatchObject({ code: 'browser-unavailable', retryable: true });
  last().reply({ kind: 'done', result: FINISHED });
  await second.result;
  expect(workers).toHaveLength(2);
});

test('memory that ran out is given back with the worker', async () => {
  const engine = newEngine();
  const job = start(engine);
  const failure = {
    code: 'out-of-memory',
    message: 'full',
    values: {},
    retryable: true,
    problem: null,
  } as const;
  last().reply({ kind: 'failed', failure });
  await expect(job.result).rejects.toMatchObject({ code: 'out-of-memory', retryable: true });
  expect(last().ended).toBe(true);
});
