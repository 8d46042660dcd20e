import { problemCode, ProcessError, type TextValues } from './errors';

/** A text for the user: a key of the translations, and what the service or the engine says about it. */
export interface Message {
  key: string;
  values?: TextValues;
  /** The service's own words, which name the value and the limit. */
  detail?: string;
  retryable: boolean;
}

/** Chosen by the code of the error's problem if it has one, else by the code of the error. */
export function messageOf(error: unknown): Message {
  if (!(error instanceof ProcessError)) {
    return {
      key: 'errors.failed',
      detail: error instanceof Error ? error.message : String(error),
      retryable: true,
    };
  }
  const key = error.problem ? `problems.${problemCode(error.problem.type)}` : `errors.${error.code}`;
  const browser = error.values.browser;
  const detail = [error.problem?.detail ?? '', browser === undefined ? '' : String(browser)];
  return { key, values: error.values, detail: detail.filter(Boolean).join(' '), retryable: error.retryable };
}

/** The message for a problem that is part of an answer. */
export function problemMessage(problem: { type: string; detail: string; retryable: boolean }): Message {
  return {
    key: `problems.${problemCode(problem.type)}`,
    detail: problem.detail,
    retryable: problem.retryable,
  };
}
