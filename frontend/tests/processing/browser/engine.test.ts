import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Engine } from '../../../src/processing/browser/engine';
import type { EngineWorker } from '../../../src/processing/browser/startWorker';
import type {
  Finished,
  Job,
  Outcome,
  StageProgress,
  WorkerApi,
} from '../../../src/processing/browser/worker/workerApi';
import type { ProcessProgress, ProcessResult } from '../../../src/processing/processor';
import { OPTIONS } from '../../options';

const IDLE_MS = 1000;
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

interface Call {
  job: Job;
  report: (progress: StageProgress) => void;
  settle: (outcome: Outcome<Finished>) => void;
}

/** A worker that does what the test says. */
class FakeWorker implements EngineWorker {
  readonly calls: Call[] = [];
  hasEnded = false;
  die: (message: string) => void = () => undefined;

  readonly api: WorkerApi = {
    run: (job, report) => new Promise((settle) => this.calls.push({ job, report, settle })),
    prefetch: () => Promise.resolve({ result: null }),
  };

  onDeath(listener: (message: string) => void): void {
    this.die = listener;
  }

  end(): void {
    this.hasEnded = true;
  }

  finish(): void {
    this.calls.at(-1)?.settle({ result: FINISHED });
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
  // The test looks at it later, so that a rejection before that is not unhandled.
  result.catch(() => undefined);
  return { result, progress, control };
}

const last = () => workers.at(-1) as FakeWorker;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a result comes with its timing, and the worker serves the next job', async () => {
  const engine = newEngine();
  const first = start(engine);
  const call = last().calls[0] as Call;
  call.report({ stage: 'computing', done: 1, total: 2, fraction: 0.5 });
  last().finish();
  expect(await first.result).toMatchObject({ mode: 'browser', width: 4, timing: { computeMs: 2 } });
  expect(first.progress.map((now) => now.stage)).toEqual(['queued', 'computing']);
  const second = start(engine);
  last().finish();
  await second.result;
  expect(workers).toHaveLength(1);
  // Progress that comes late is ignored.
  call.report({ stage: 'encoding', done: 0, total: 0, fraction: 1 });
  expect(first.progress).toHaveLength(2);
});

test('one job runs at a time, and the others are told their place', async () => {
  const engine = newEngine();
  const jobs = [start(engine), start(engine), start(engine)] as const;
  expect(last().calls).toHaveLength(1);
  expect(jobs.map((job) => job.progress.at(-1)?.place)).toEqual([1, 1, 2]);
  for (const job of jobs) {
    last().finish();
    await job.result;
  }
  expect(last().calls).toHaveLength(3);
  expect(jobs[2].progress.map((now) => now.place)).toEqual([2, 1]);
});

test('an abort ends the worker, and the job that waits gets a new one', async () => {
  const engine = newEngine();
  const [first, second] = [start(engine), start(engine)] as const;
  first.control.abort();
  await expect(first.result).rejects.toMatchObject({ name: 'AbortError' });
  expect(workers.map((worker) => worker.hasEnded)).toEqual([true, false]);
  last().finish();
  await second.result;
});

test('an abort in the queue does not disturb the running job', async () => {
  const engine = newEngine();
  const [first, second] = [start(engine), start(engine)] as const;
  second.control.abort();
  await expect(second.result).rejects.toMatchObject({ name: 'AbortError' });
  last().finish();
  await first.result;
  expect(workers).toHaveLength(1);
  expect(last().calls).toHaveLength(1);
});

test('a worker that is idle for a while is ended, one that works is not', async () => {
  const engine = newEngine();
  const first = start(engine);
  vi.advanceTimersByTime(10 * IDLE_MS);
  expect(last().hasEnded).toBe(false);
  last().finish();
  await first.result;
  vi.advanceTimersByTime(IDLE_MS - 1);
  expect(last().hasEnded).toBe(false);
  vi.advanceTimersByTime(1);
  expect(last().hasEnded).toBe(true);
});

test('a worker that dies fails its job, which may be tried again', async () => {
  const engine = newEngine();
  const [first, second] = [start(engine), start(engine)] as const;
  last().die('it died');
  await expect(first.result).rejects.toMatchObject({ code: 'browser-unavailable', retryable: true });
  last().finish();
  await second.result;
  expect(workers).toHaveLength(2);
});

test('a worker that cannot be started fails its job', async () => {
  const engine = new Engine(() => {
    throw new Error('forbidden');
  });
  const { result } = start(engine);
  await expect(result).rejects.toMatchObject({ code: 'browser-unavailable', message: /forbidden/ });
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
  last().calls[0]?.settle({ failure });
  await expect(job.result).rejects.toMatchObject({ code: 'out-of-memory', retryable: true });
  expect(last().hasEnded).toBe(true);
});
