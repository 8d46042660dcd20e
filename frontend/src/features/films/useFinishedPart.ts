import { useQuery } from '@tanstack/react-query';
import type { Film } from '../../state/films';
import { useServices } from '../../state/services';
import { finishedSeconds } from './playlist';

const PERIOD_MS = 3000;

export interface FinishedPart {
  url: string;
  seconds: number;
}

/** What can be watched of a film that is being computed; null before its first segment is finished. */
export function useFinishedPart({ state, jobId, progress }: Film): FinishedPart | null {
  const { api } = useServices();
  const path = `/api/jobs/${encodeURIComponent(jobId ?? '')}/playlist.m3u8`;
  const isComputed = state === 'running' && jobId !== null && progress?.stage === 'computing';
  const { data } = useQuery({
    queryKey: ['film-playlist', jobId],
    // There is no playlist before the work has begun, and none after it has ended.
    queryFn: ({ signal }) =>
      api.fetch(path, { signal }).then(
        async (answer) => finishedSeconds(await answer.text()),
        () => 0,
      ),
    enabled: isComputed,
    refetchInterval: PERIOD_MS,
    gcTime: 0,
  });
  return isComputed && data ? { url: api.url(path), seconds: data } : null;
}
