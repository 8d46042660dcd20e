import { problemInfo, unreachable, type Api, type Job } from '../../api/client';
import { readEvents } from '../../api/events';
import { ProcessError } from '../../lib/errors';
import type { OnProgress } from '../processor';
import { jobProgress } from './progress';
import { emptyStream } from './streams';

/** Follows the events of a job over as many connections as it takes. */
export class JobFollower {
  private job: Job;
  private lastEventId = '';
  private readonly api: Api;
  private readonly onProgress: OnProgress;
  private readonly signal: AbortSignal;
  private readonly reconnectMs: readonly number[];

  constructor(
    api: Api,
    job: Job,
    onProgress: OnProgress,
    signal: AbortSignal,
    reconnectMs: readonly number[],
  ) {
    this.api = api;
    this.job = job;
    this.onProgress = onProgress;
    this.signal = signal;
    this.reconnectMs = reconnectMs;
  }

  /** Resolves with the finished job. Rejects if the job ended otherwise, or if the service stays away. */
  async end(): Promise<Job> {
    let failures = 0;
    while (!hasEnded(this.job)) {
      try {
        const hasReported = await this.followOnce();
        failures = hasReported ? 0 : failures + 1;
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
    throw failureOf(this.job);
  }

  /** Follows one connection until it ends, and says whether an event came. */
  private async followOnce(): Promise<boolean> {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (this.lastEventId) headers['Last-Event-ID'] = this.lastEventId;
    const path = `/api/jobs/${encodeURIComponent(this.job.id)}/events`;
    const response = await this.api.fetch(path, { headers, signal: this.signal });
    let hasReported = false;
    try {
      for await (const { event, id, data } of readEvents(response.body ?? emptyStream())) {
        hasReported = true;
        if (event === 'drain') throw draining();
        if (event !== 'state' && event !== 'progress') continue;
        if (id) this.lastEventId = id;
        this.job = JSON.parse(data) as Job;
        if (hasEnded(this.job)) return true;
        this.onProgress(jobProgress(this.job));
      }
    } catch (error) {
      this.signal.throwIfAborted();
      if (error instanceof ProcessError) throw error;
      // The connection broke. An event that came before is progress, so the waits start from the first one.
      if (!hasReported) throw unreachable(error);
    }
    return hasReported;
  }
}

function hasEnded(job: Job): boolean {
  return job.state !== 'queued' && job.state !== 'running';
}

function draining(): ProcessError {
  return new ProcessError('not-ready', 'The service is shutting down.', { retryable: true });
}

function failureOf(job: Job): ProcessError {
  const problem = job.problem ? problemInfo(job.problem) : null;
  const detail = problem?.detail ?? `The job ended as ${job.state}.`;
  const retryable = job.problem?.retryable ?? true;
  // A job that is gone, or that was cancelled elsewhere, says nothing about the image.
  if (problem === null || job.state !== 'failed')
    return new ProcessError('job-lost', detail, { problem, retryable });
  const isSaturation = job.problem?.status === 503 || job.problem?.status === 504;
  return new ProcessError(isSaturation ? 'busy' : 'refused', detail, { problem, retryable });
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
