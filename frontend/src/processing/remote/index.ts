/** Processing by the service: a job, its events, its result. */

import type { Api, Job } from '../../api/client';
import { OUTPUT_FORMATS, type OutputFormat } from '../../api/constants';
import { submitJob } from '../../api/upload';
import { ProcessError } from '../../lib/errors';
import { jobFields } from '../fields';
import { DIALS, type TaskOptions } from '../options';
import type { Capabilities, OnProgress, Processor, ProcessInput } from '../processor';
import type { Task } from '../task';
import { download } from './download';
import { JobFollower } from './jobFollower';
import { jobProgress, uploadProgress } from './progress';

/** Waits before a lost connection is tried again. A job outlives a restart of the service. */
const RECONNECT_MS: readonly number[] = [200, 400, 800, 1600];

export function createRemoteProcessor(
  api: Api,
  tasks: readonly Task[],
  reconnectMs: readonly number[] = RECONNECT_MS,
): Processor {
  return {
    capabilities: () => capabilities(api),
    process: async (input, options, onProgress, signal) => {
      signal.throwIfAborted();
      const startedMs = performance.now();
      const job =
        (await resumable(api, input, signal)) ??
        (await submit(api, input, jobForm(tasks, input, options), onProgress, signal));
      // An abort between two events must end the job as well, so it is not left to the follower.
      const cancel = () => void api.cancelJob(job.id).catch(() => undefined);
      signal.addEventListener('abort', cancel, { once: true });
      try {
        onProgress(jobProgress(job));
        const done = await new JobFollower(api, job, onProgress, signal, reconnectMs).end();
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
      .filter((model) => model.present)
      .map((model) => ({
        id: model.id,
        title: model.title,
        task: model.task,
        scale: model.scale,
        dials: DIALS.filter((dial) => model[dial]),
      })),
    formats: Object.keys(OUTPUT_FORMATS) as OutputFormat[],
    maxInputPixels: null,
    maxOutputPixels: null,
  };
}

/** The job of an earlier page; null if it came to nothing, so that the work has to be submitted again. */
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

function jobForm(tasks: readonly Task[], input: ProcessInput, options: TaskOptions): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(jobFields(tasks, options))) form.append(name, String(value));
  form.append('file', input.file, input.fileName);
  if (input.mask) form.append('mask', input.mask, 'mask.png');
  return form;
}

function submit(
  api: Api,
  input: ProcessInput,
  form: FormData,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Job> {
  const onSent = (done: number, total: number) => onProgress(uploadProgress(done, total));
  onSent(0, input.file.size);
  return submitJob(api, form, onSent, signal);
}
