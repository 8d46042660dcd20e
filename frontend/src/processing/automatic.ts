/** Chooses what computes: the service if it can, else this browser; also in the middle of a job. */

import { ProcessError, type ProcessErrorCode } from '../lib/errors';
import type { TaskOptions } from './options';
import type {
  Capabilities,
  Note,
  OnProgress,
  Processor,
  ProcessInput,
  ProcessProgress,
  ProcessResult,
} from './processor';
import { taskOf, type Task } from './task';

/** The user's choice: the service with this browser in reserve, or only one of them. */
export type ModePreference = 'auto' | 'server' | 'browser';

export interface AutomaticParts {
  remote: Processor;
  browser: Processor;
  tasks: readonly Task[];
  preference: () => ModePreference;
  /** Resolves if the service takes work now; rejects with a `ProcessError` that says why not. */
  requireReady: () => Promise<void>;
  /** Called with null when the service was able to work, and with the reason when it was not. */
  onService?: (failure: ProcessError | null) => void;
}

/** Failures that say nothing against the work itself. */
const FAILURES_OF_SERVICE: readonly ProcessErrorCode[] = ['unreachable', 'not-ready', 'busy', 'job-lost'];

export function createAutomaticProcessor(parts: AutomaticParts): Processor {
  return {
    capabilities: () => capabilities(parts),
    process: async (input, options, onProgress, signal) => {
      const preference = parts.preference();
      if (preference === 'browser') return parts.browser.process(input, options, onProgress, signal);
      let fraction = 0;
      const onServiceProgress = (progress: ProcessProgress) => {
        fraction = progress.fraction;
        onProgress(progress);
      };
      try {
        await parts.requireReady();
        signal.throwIfAborted();
        const result = await parts.remote.process(input, options, onServiceProgress, signal);
        parts.onService?.(null);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ProcessError) || !FAILURES_OF_SERVICE.includes(error.code)) throw error;
        if (error.code !== 'job-lost') parts.onService?.(error);
        if (preference === 'server') throw error;
        return await inBrowser(parts, error, fraction, { input, options, onProgress, signal });
      }
    },
  };
}

/** The service's, so that models which only it has can be chosen; the browser's while the service is away. */
async function capabilities(parts: AutomaticParts): Promise<Capabilities> {
  const preference = parts.preference();
  if (preference === 'browser') return parts.browser.capabilities();
  try {
    return await parts.remote.capabilities();
  } catch (error) {
    if (preference === 'server') throw error;
    return parts.browser.capabilities();
  }
}

interface Call {
  input: ProcessInput;
  options: TaskOptions;
  onProgress: OnProgress;
  signal: AbortSignal;
}

async function inBrowser(
  { browser, tasks }: AutomaticParts,
  failure: ProcessError,
  fraction: number,
  call: Call,
): Promise<ProcessResult> {
  const able = await browser.capabilities();
  call.signal.throwIfAborted();
  const obstacle = obstacleTo(able, call.options, taskOf(tasks, call.options));
  if (obstacle !== null) throw neither(failure, obstacle);
  const note = fallbackNote(failure, fraction);
  const onProgress = (progress: ProcessProgress) => call.onProgress({ ...progress, note });
  const result = await browser.process(call.input, call.options, onProgress, call.signal);
  return { ...result, notes: [note, ...result.notes] };
}

/** What this browser lacks for the work, or null. A model that was named is not replaced by another one. */
function obstacleTo(able: Capabilities, options: TaskOptions, task: Task): string | null {
  if (!able.available) return able.reason ?? 'This browser cannot compute.';
  for (const id of task.modelsOf(options)) {
    if (!able.models.some((model) => model.id === id)) return `It has no model ${id}.`;
  }
  if (!able.models.some((model) => model.task === options.task))
    return `It has no model for ${options.task}.`;
  return able.formats.includes(options.format) ? null : `It cannot write ${options.format}.`;
}

function neither(failure: ProcessError, obstacle: string): ProcessError {
  return new ProcessError(failure.code, failure.message, {
    values: { ...failure.values, browser: obstacle },
    retryable: true,
    retryAfterS: failure.retryAfterS,
    problem: failure.problem,
    cause: failure,
  });
}

function fallbackNote(failure: ProcessError, fraction: number): Note {
  const percent = Math.round(fraction * 100);
  const key = percent > 0 ? `fallbackMidway.${failure.code}` : `fallback.${failure.code}`;
  return { key, values: { percent }, text: `Done in this browser: ${failure.message}` };
}
