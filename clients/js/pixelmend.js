/**
 * A Pixelmend service, from Node.js 20 or a page: upload, wait, result, cancel. No dependencies.
 *
 * The types are those of the service's OpenAPI document (schema.d.ts says where they lie).
 *
 * @typedef {import('./schema').components['schemas']} Schemas
 * @typedef {Schemas['JobView']} Job
 * @typedef {Schemas['Problem']} Problem
 * @typedef {Record<string, string | number | boolean | null | undefined>} Fields of the task's form
 */

const ENDED = ['done', 'failed', 'cancelled', 'expired'];
const MAX_FAILURES = 8;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/** What the service refuses, or what a job failed with. `code` is stable: `invalid-parameter`, `image-too-large`. */
export class PixelmendError extends Error {
  /** @param {string} code @param {string} message @param {boolean} retryable @param {Problem} [problem] */
  constructor(code, message, retryable, problem) {
    super(message);
    this.name = 'PixelmendError';
    this.code = code;
    this.retryable = retryable;
    this.problem = problem;
  }

  /** @param {Problem} problem */
  static of(problem) {
    const code = String(problem.type).replace('urn:pixelmend:problem:', '');
    return new PixelmendError(code, problem.detail, problem.retryable, problem);
  }
}

export class Pixelmend {
  #url;
  #key;

  /** @param {string} url such as `http://localhost:8000` @param {{ key?: string }} [options] */
  constructor(url, { key } = {}) {
    this.#url = url.replace(/\/+$/, '');
    this.#key = key;
  }

  /**
   * Submits one image, or a film for `upscale-video`; more than one file is a batch, whose task is `upscale-batch`.
   *
   * @param {string} task
   * @param {Blob | Blob[] | null} file in Node.js of `fs.openAsBlob`; null if the field `image_url` says where it is
   * @param {{ mask?: Blob, name?: string, fields?: Fields, signal?: AbortSignal }} [options]
   * @returns {Promise<Job>}
   */
  upload(task, file, { mask, name = 'image', fields = {}, signal } = {}) {
    const form = new FormData();
    // Fields come first: the service has to know of a film before it arrives.
    form.append('task', task);
    for (const [field, value] of Object.entries(fields)) {
      if (value !== null && value !== undefined) form.append(field, String(value));
    }
    if (Array.isArray(file))
      file.forEach((each, n) => form.append('files', each, nameOf(each, `${name}-${n + 1}`)));
    else if (file) form.append('file', file, nameOf(file, name));
    if (mask) form.append('mask', mask, 'mask');
    return this.#patiently(() => this.get('/api/jobs', { method: 'POST', body: form, signal }), signal);
  }

  /**
   * The job once it is done; rejects with what it failed with. Streams that break off are taken up again.
   *
   * @param {Job} job
   * @param {{ onProgress?: (job: Job) => void, signal?: AbortSignal }} [options]
   * @returns {Promise<Job>}
   */
  async wait(job, { onProgress, signal } = {}) {
    let latest = job;
    while (!ENDED.includes(latest.state)) {
      latest = await this.#patiently(async (progressed) => {
        for await (const event of this.#events(job.id, signal)) {
          if (event.name !== 'state' && event.name !== 'progress') continue;
          latest = JSON.parse(event.data);
          progressed();
          onProgress?.(latest);
        }
        if (!ENDED.includes(latest.state))
          throw new TypeError('the stream of events ended before the job did');
        return latest;
      }, signal);
    }
    if (latest.problem) throw PixelmendError.of(latest.problem);
    if (latest.state !== 'done')
      throw new PixelmendError('result-expired', `job ${latest.id} is ${latest.state}`, false);
    return latest;
  }

  /** A finished job's file, as a response of which the body may be streamed. @param {Job} job @param {AbortSignal} [signal] */
  result(job, signal) {
    if (!job.result)
      throw new PixelmendError('job-state', `job ${job.id} is ${job.state}, so it has no result`, false);
    const path = job.result.url;
    return this.#patiently(() => this.#asked(path, { signal }), signal);
  }

  /** Ends the job, or gives up its result. @param {Job} job @returns {Promise<Job>} */
  cancel(job) {
    return this.get(`/api/jobs/${job.id}`, { method: 'DELETE' });
  }

  /** @param {string} id @returns {Promise<Job>} */
  job(id) {
    return this.get(`/api/jobs/${encodeURIComponent(id)}`);
  }

  /** Anything else, such as `/api/info`: an answer's JSON. @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
  async get(path, init) {
    return (await this.#asked(path, init)).json();
  }

  /** @param {string} path @param {RequestInit} [init] */
  async #asked(path, init = {}) {
    const headers = new Headers(init.headers);
    if (this.#key) headers.set('Authorization', `Bearer ${this.#key}`);
    const response = await fetch(this.#url + path, { ...init, headers });
    if (response.ok) return response;
    const problem = await response.json().catch(() => null);
    if (problem?.type) throw PixelmendError.of(problem);
    const retryable = response.status >= 500;
    throw new PixelmendError('internal', `${path} answers ${response.status}`, retryable);
  }

  /** @param {string} id @param {AbortSignal} [signal] */
  async *#events(id, signal) {
    const response = await this.#asked(`/api/jobs/${id}/events`, { signal });
    let text = '';
    for await (const chunk of /** @type {any} */ (response.body).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const value = (/** @type {string} */ field) =>
          lines
            .filter((line) => line.startsWith(`${field}: `))
            .map((line) => line.slice(field.length + 2))
            .join('\n');
        yield { name: value('event'), data: value('data') };
      }
    }
  }

  /**
   * Tries again what failed on its way or what the service asks patience for, with longer pauses each time.
   *
   * @template T
   * @param {(progressed: () => void) => Promise<T>} step
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async #patiently(step, signal) {
    let failures = 0;
    for (;;) {
      try {
        return await step(() => (failures = 0));
      } catch (error) {
        const again = error instanceof PixelmendError ? error.retryable : error instanceof TypeError;
        failures += 1;
        if (signal?.aborted || !again || failures >= MAX_FAILURES) throw error;
        const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }
}

/** @param {Blob} file @param {string} otherwise */
function nameOf(file, otherwise) {
  return file instanceof File ? file.name : otherwise;
}
