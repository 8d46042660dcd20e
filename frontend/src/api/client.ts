/** The service's HTTP interface. Its errors become a `ProcessError` here and nowhere else. */

import { problemCode, ProcessError, type ProblemInfo } from '../lib/errors';
import type { components, paths } from './schema';

type Schemas = components['schemas'];
export type Info = Schemas['Info'];
export type Health = Schemas['Health'];
export type Readiness = Schemas['Readiness'];
export type Job = Schemas['JobView'];
export type ModelInfo = Schemas['ModelInfo'];
export type Profile = Schemas['ProfileDescription'];
export type MemoryView = Schemas['MemoryView'];
export type ManagementView = Schemas['ManagementView'];
export type ManagedSetting = Schemas['ManagedSetting'];
export type FreedView = Schemas['FreedView'];
export type InstanceView = Schemas['InstanceView'];
export type ProfileBody = paths['/api/profiles/{name}']['put']['requestBody']['content']['application/json'];
export type EstimateView = Schemas['EstimateView'];

/** The text fields of a form. */
export type FormFields = Record<string, string | number | boolean>;

export interface ApiOptions {
  /** The service's origin; empty for the origin of the page. */
  baseUrl: string;
  apiKey: () => string;
}

const PROBLEM_TYPE = 'application/problem+json';
const PROBE_TIMEOUT_MS = 4000;

export class Api {
  private readonly options: ApiOptions;

  constructor(options: ApiOptions) {
    this.options = options;
  }

  url(path: string): string {
    return this.options.baseUrl.replace(/\/$/, '') + path;
  }

  headers(): Record<string, string> {
    const key = this.options.apiKey();
    return key ? { Authorization: `Bearer ${key}` } : {};
  }

  /** Rejects with a `ProcessError` unless the status is a success, and with the signal's reason once aborted. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      const headers = { ...this.headers(), ...(init.headers as Record<string, string> | undefined) };
      response = await fetch(this.url(path), { ...init, headers });
    } catch (error) {
      if (init.signal?.aborted && !isTimeout(init.signal.reason)) throw init.signal.reason;
      throw unreachable(error);
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  private async json<T>(path: string, init?: RequestInit): Promise<T> {
    return (await (await this.fetch(path, init)).json()) as T;
  }

  info = (): Promise<Info> => this.json('/api/info');
  models = async (): Promise<ModelInfo[]> => (await this.json<Schemas['ModelList']>('/api/models')).models;
  profiles = async (): Promise<Profile[]> =>
    (await this.json<Schemas['ProfileList']>('/api/profiles')).profiles;
  memory = (points: number, minutes: number): Promise<MemoryView> =>
    this.json(`/api/memory?points=${points}&minutes=${minutes}`);
  management = (): Promise<ManagementView> => this.json('/api/management');
  manage = (changes: Record<string, boolean | number>): Promise<ManagementView> =>
    this.json('/api/management', sent('PATCH', changes));
  freeMemory = (): Promise<FreedView> => this.json('/api/memory/free', { method: 'POST' });
  unloadAllModels = (force: boolean): Promise<FreedView> =>
    this.json(`/api/models/unload?force=${force}`, { method: 'POST' });
  instances = async (): Promise<InstanceView[]> =>
    (await this.json<Schemas['InstanceList']>('/api/instances')).instances;
  job = (id: string, signal?: AbortSignal): Promise<Job> =>
    this.json(`/api/jobs/${encodeURIComponent(id)}`, { signal });
  jobs = async (): Promise<Job[]> => (await this.json<Schemas['JobList']>('/api/jobs')).jobs;
  cancelJob = (id: string): Promise<Job> =>
    this.json(`/api/jobs/${encodeURIComponent(id)}`, { method: 'DELETE', keepalive: true });

  estimate = (fields: FormFields, signal?: AbortSignal): Promise<EstimateView> =>
    this.json('/api/estimate', { ...sent('POST', fields), signal });

  administerModel = (id: string, action: 'load' | 'unload' | 'pin' | 'unpin'): Promise<ModelInfo> =>
    this.json(`/api/models/${encodeURIComponent(id)}/${action}`, { method: 'POST' });

  downloadModel = (id: string): Promise<ModelInfo> =>
    this.json(`/api/models/${encodeURIComponent(id)}/download`, { method: 'POST' });
  /** Also forgets why a download failed. */
  stopDownload = (id: string): Promise<ModelInfo> =>
    this.json(`/api/models/${encodeURIComponent(id)}/download`, { method: 'DELETE' });

  administerProfile = (name: string, action: 'preload' | 'release'): Promise<Profile> =>
    this.json(`/api/profiles/${encodeURIComponent(name)}/${action}`, { method: 'POST' });

  putProfile = (name: string, profile: ProfileBody): Promise<Profile> =>
    this.json(`/api/profiles/${encodeURIComponent(name)}`, sent('PUT', profile));
  removeProfile = async (name: string): Promise<void> => {
    await this.fetch(`/api/profiles/${encodeURIComponent(name)}`, { method: 'DELETE' });
  };

  /** Status 503 is an answer too: it says why the service is not healthy. */
  health = (): Promise<Health> => this.reported('/api/health');
  readiness = (): Promise<Readiness> => this.reported('/readyz');

  private async reported<T>(path: string): Promise<T> {
    let response: Response;
    try {
      response = await fetch(this.url(path), {
        headers: this.headers(),
        cache: 'no-store',
        signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      });
    } catch (error) {
      throw unreachable(error);
    }
    const kind = response.headers.get('content-type') ?? '';
    // An answer other than JSON comes from a proxy whose service is gone, or from a file server.
    if (!kind.startsWith('application/json'))
      throw unreachable(new Error(`answered ${response.status} ${kind}`));
    return (await response.json()) as T;
  }
}

function sent(method: string, body: unknown): RequestInit {
  return { method, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
}

export function unreachable(cause: unknown): ProcessError {
  return new ProcessError('unreachable', 'The service cannot be reached.', { retryable: true, cause });
}

async function errorOf(response: Response): Promise<ProcessError> {
  const body = await response.text().catch(() => '');
  return errorFrom(response.status, (name) => response.headers.get(name), body);
}

/** The one place that knows what a status means. */
export function errorFrom(
  status: number,
  header: (name: string) => string | null,
  body: string,
): ProcessError {
  const problem = (header('content-type') ?? '').startsWith(PROBLEM_TYPE) ? problemOf(body) : null;
  const retryAfter = Number.parseFloat(header('retry-after') ?? '');
  const details = {
    problem,
    retryable: status === 429 || status >= 500,
    retryAfterS: Number.isFinite(retryAfter) ? retryAfter : null,
  };
  const detail = problem?.detail ?? `The service answered ${status}.`;
  // A gateway whose service is gone sends no problem document.
  if (problem === null && (status === 502 || status === 503 || status === 504)) return unreachable(detail);
  const code = problem ? problemCode(problem.type) : '';
  if (code === 'draining' || code === 'no-worker') return new ProcessError('not-ready', detail, details);
  if (status === 429 || code === 'queue-full' || code === 'storage-full') {
    return new ProcessError('busy', detail, details);
  }
  if (code === 'unknown-job' || code === 'result-expired')
    return new ProcessError('job-lost', detail, details);
  return new ProcessError('refused', detail, details);
}

export function problemInfo(problem: Schemas['Problem']): ProblemInfo {
  return {
    type: problem.type,
    title: problem.title,
    detail: problem.detail,
    requestId: problem.request_id,
  };
}

function problemOf(body: string): ProblemInfo | null {
  try {
    return problemInfo(JSON.parse(body) as Schemas['Problem']);
  } catch {
    return null;
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}
