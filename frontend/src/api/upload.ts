import { ProcessError } from '../lib/errors';
import { errorFrom, unreachable, type Api, type Job } from './client';

/** `POST /api/jobs`, with XMLHttpRequest, since fetch does not report how much of a body was sent. */
export function submitJob(
  api: Api,
  form: FormData,
  onSent: (sentBytes: number, totalBytes: number) => void,
  signal: AbortSignal,
): Promise<Job> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    const onAbort = () => request.abort();
    const settle = (act: () => void) => {
      signal.removeEventListener('abort', onAbort);
      act();
    };
    signal.addEventListener('abort', onAbort);
    request.open('POST', api.url('/api/jobs'));
    for (const [name, value] of Object.entries(api.headers())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onSent(event.loaded, event.total);
    request.onerror = () => settle(() => reject(unreachable(new Error('the upload was cut off'))));
    request.onabort = () => settle(() => reject(signal.reason as Error));
    request.onload = () =>
      settle(() => {
        if (request.status !== 202) {
          reject(errorFrom(request.status, (name) => request.getResponseHeader(name), request.responseText));
          return;
        }
        try {
          resolve(JSON.parse(request.responseText) as Job);
        } catch (error) {
          reject(new ProcessError('failed', 'The service answered something unreadable.', { cause: error }));
        }
      });
    request.send(form);
  });
}
