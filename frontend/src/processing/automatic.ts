/** Chooses who computes: the service where it can, this browser where it cannot; also in the middle of a job. */

import {
  ProcessError,
  type Capabilities,
  type Note,
  type ProcessErrorCode,
  type Processor,
  type ProcessInput,
  type ProcessOptions,
  type ProcessProgress,
  type ProcessResult,
} from './processor';

/** What the user wants: the service with this browser in reserve, or only the one, or only the other. */
export type ModePreference = 'auto' | 'server' | 'browser';

export interface AutomaticParts {
  remote: Processor;
  browser: Processor;
  preference: () => ModePreference;
  /** Resolves where the service takes work now; rejects with a `ProcessError` that says why not. */
  requireReady: () => Promise<void>;
  /** Told whenever the service was found able or unable; for the notice of which mode runs and why. */
  onService?: (failure: ProcessError | null) => void;
}

/** Failures that say nothing against the work itself. */
const ELSEWHERE: readonly ProcessErrorCode[] = ['unreachable', 'not-ready', 'busy', 'job-lost'];

export function createAutomaticProcessor(parts: AutomaticParts): Processor {
  return {
    capabilities: () => capabilities(parts),
    process: async (input, options, onProgress, signal) => {
      const preference = parts.preference();
      if (preference === 'browser') return parts.browser.process(input, options, onProgress, signal);
      let fraction = 0;
      const watched = (progress: ProcessProgress) => {
        fraction = progress.fraction;
        onProgress(progress);
      };
      try {
        await parts.requireReady();
        signal.throwIfAborted();
        const result = await parts.remote.process(input, options, watched, signal);
        parts.onService?.(null);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ProcessError) || !ELSEWHERE.includes(error.code)) throw error;
        if (error.code !== 'job-lost') parts.onService?.(error);
        if (preference === 'server') throw error;
        return await inBrowser(parts.browser, error, fraction, { input, options, onProgress, signal });
      }
    },
  };
}

/** Models of both: what only the service has can be chosen while it is there. */
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
  options: ProcessOptions;
  onProgress: (progress: ProcessProgress) => void;
  signal: AbortSignal;
}

async function inBrowser(
  browser: Processor,
  failure: ProcessError,
  fraction: number,
  call: Call,
): Promise<ProcessResult> {
  const able = await browser.capabilities();
  call.signal.throwIfAborted();
  const obstacle = whyNot(able, call.options);
  if (obstacle !== null) throw neither(failure, obstacle);
  const note = fallbackNote(failure, fraction);
  const onProgress = (progress: ProcessProgress) => call.onProgress({ ...progress, note });
  const result = await browser.process(call.input, call.options, onProgress, call.signal);
  return { ...result, notes: [note, ...result.notes] };
}

/** What this browser lacks for the work; null: nothing. Another model than the one asked for will not do. */
function whyNot(able: Capabilities, options: ProcessOptions): string | null {
  if (!able.available) return able.reason ?? 'This browser cannot compute.';
  const wanted = [options.model, options.task === 'inpaint' ? (options.thenUpscale?.model ?? null) : null];
  for (const id of wanted) {
    if (id !== null && !able.models.some((model) => model.id === id)) return `It has no model ${id}.`;
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
