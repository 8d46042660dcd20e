import { codeOf } from '../api/client';
import { ProcessError } from '../processing/processor';

/** Something said to the user: a key of the translations, and what the service or the engine says about it. */
export interface Message {
  key: string;
  values?: Record<string, string | number>;
  /** In the service's own words: the value, the limit. */
  detail?: string;
  retryable: boolean;
}

/** An error says what to do: by its problem's code where there is one, else by its kind. */
export function messageOf(error: unknown): Message {
  if (!(error instanceof ProcessError)) {
    return {
      key: 'errors.failed',
      detail: error instanceof Error ? error.message : String(error),
      retryable: true,
    };
  }
  const key = error.problem ? `problems.${codeOf(error.problem.type)}` : `errors.${error.code}`;
  const browser = error.values.browser;
  const detail = [error.problem?.detail ?? '', browser === undefined ? '' : String(browser)];
  return { key, values: error.values, detail: detail.filter(Boolean).join(' '), retryable: error.retryable };
}

/** Of a problem that is part of an answer. */
export function problemMessage(problem: { type: string; detail: string; retryable: boolean }): Message {
  return { key: `problems.${codeOf(problem.type)}`, detail: problem.detail, retryable: problem.retryable };
}
