/** How the stages of a job share the progress bar. */

import type { Job } from '../../api/client';
import type { ProcessProgress } from '../processor';

const UPLOAD_SHARE = 0.1;
const DOWNLOAD_SHARE = 0.1;

export function uploadProgress(done: number, total: number): ProcessProgress {
  const fraction = UPLOAD_SHARE * shareOf(done, total);
  return { stage: 'uploading', done, total, fraction, mode: 'server' };
}

export function jobProgress(job: Job): ProcessProgress {
  return {
    stage: job.state === 'queued' ? 'queued' : 'computing',
    done: job.progress.done_tiles,
    total: job.progress.total_tiles,
    fraction: UPLOAD_SHARE + (1 - UPLOAD_SHARE - DOWNLOAD_SHARE) * job.progress.fraction,
    place: job.place,
    etaS: job.eta_s,
    jobId: job.id,
    mode: 'server',
  };
}

export function downloadProgress(job: Job, done: number, total: number): ProcessProgress {
  const fraction = 1 - DOWNLOAD_SHARE + DOWNLOAD_SHARE * shareOf(done, total);
  return { stage: 'downloading', done, total, fraction, jobId: job.id, mode: 'server' };
}

function shareOf(done: number, total: number): number {
  return total > 0 ? done / total : 0;
}
