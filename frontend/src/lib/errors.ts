/** The one kind of error that processing, the service's HTTP interface and the readers of files raise. */

export type ProcessErrorCode =
  /** No answer, or the connection was lost and did not come back. */
  | 'unreachable'
  /** The service answers, and says that it takes no work now. */
  | 'not-ready'
  /** 429 and 503: the queue or the quota is full. */
  | 'busy'
  /** The service no longer has the job, or the job ended without a result for a reason other than its input. */
  | 'job-lost'
  /** The service refused the work because of the work itself; `problem` says why. */
  | 'refused'
  /** This browser cannot compute at all, or lacks the model or the encoder that the work needs. */
  | 'browser-unavailable'
  | 'model-unavailable'
  | 'format-unavailable'
  | 'undecodable'
  /** This browser keeps from pages what a picture that it has decoded looks like. */
  | 'pixels-hidden'
  | 'too-large'
  | 'out-of-memory'
  | 'failed';

/** The part of a problem (RFC 9457) that is shown. */
export interface ProblemInfo {
  type: string;
  title: string;
  detail: string;
  requestId: string | null;
}

/** Values that a translation takes. */
export type TextValues = Record<string, string | number>;

export interface ErrorDetails {
  values?: TextValues;
  retryable?: boolean;
  retryAfterS?: number | null;
  problem?: ProblemInfo | null;
  cause?: unknown;
}

export class ProcessError extends Error {
  readonly code: ProcessErrorCode;
  /** Values for the translation `errors.<code>`. */
  readonly values: TextValues;
  /** The same work may succeed later. */
  readonly retryable: boolean;
  readonly retryAfterS: number | null;
  readonly problem: ProblemInfo | null;

  constructor(code: ProcessErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'ProcessError';
    this.code = code;
    this.values = details.values ?? {};
    this.retryable = details.retryable ?? false;
    this.retryAfterS = details.retryAfterS ?? null;
    this.problem = details.problem ?? null;
  }
}

/** The refusal that the service would answer with for an option that cannot be used. */
export function invalidParameter(detail: string): ProcessError {
  return new ProcessError('refused', detail, {
    problem: { type: 'invalid-parameter', title: 'Invalid parameter', detail, requestId: null },
  });
}

/** The stable end of a problem's type. */
export function problemCode(type: string): string {
  return type.slice(type.lastIndexOf(':') + 1);
}
