import { unreachable, type Api, type Job } from '../../api/client';
import type { Note, OnProgress, ProcessResult, ProcessTiming } from '../processor';
import { downloadProgress } from './progress';
import { emptyStream } from './streams';

/** The result of a finished job, with what the headers say about it. */
export async function download(
  api: Api,
  job: Job,
  onProgress: OnProgress,
  signal: AbortSignal,
  startedMs: number,
): Promise<ProcessResult> {
  const response = await api.fetch(`/api/jobs/${encodeURIComponent(job.id)}/result`, { signal });
  const totalBytes = job.result?.size_bytes ?? 0;
  const blob = await readBlob(response, totalBytes, signal, (doneBytes) =>
    onProgress(downloadProgress(job, doneBytes, totalBytes)),
  );
  const header = (name: string) => response.headers.get(`X-Pixelmend-${name}`);
  return {
    blob,
    width: job.result?.width ?? 0,
    height: job.result?.height ?? 0,
    mode: 'server',
    model: header('Model') ?? job.model,
    device: [header('Device'), header('Precision')].filter(Boolean).join('; '),
    notes: notesOf(header('Not-Kept'), header('Notes')),
    timing: {
      totalMs: performance.now() - startedMs,
      ...serverTiming(response.headers.get('Server-Timing')),
    },
    jobId: job.id,
  };
}

/** Each chunk becomes a Blob as it comes, which the browser may keep on disk. */
async function readBlob(
  response: Response,
  totalBytes: number,
  signal: AbortSignal,
  onBytes: (doneBytes: number) => void,
): Promise<Blob> {
  const reader = (response.body ?? emptyStream()).getReader();
  const parts: Blob[] = [];
  let doneBytes = 0;
  try {
    for (;;) {
      const chunk = await reader.read();
      if (chunk.done) break;
      parts.push(new Blob([chunk.value as Uint8Array<ArrayBuffer>]));
      doneBytes += chunk.value.byteLength;
      onBytes(doneBytes);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(error);
  }
  if (totalBytes > 0 && doneBytes !== totalBytes)
    throw unreachable(new Error(`${doneBytes} of ${totalBytes} bytes came`));
  return new Blob(parts, { type: response.headers.get('content-type') ?? '' });
}

export function notesOf(notKept: string | null, notes: string | null): Note[] {
  const found: Note[] = [];
  if (notKept) found.push({ key: 'notKept', values: { what: notKept }, text: `Not kept: ${notKept}` });
  for (const text of notes?.split('; ') ?? []) found.push({ key: null, text });
  return found;
}

function serverTiming(header: string | null): Omit<ProcessTiming, 'totalMs'> {
  const duration = (name: string) => {
    const found = new RegExp(`\\b${name};dur=([\\d.]+)`).exec(header ?? '');
    return found ? Number(found[1]) : undefined;
  };
  return { decodeMs: duration('decode'), computeMs: duration('device'), encodeMs: duration('encode') };
}
