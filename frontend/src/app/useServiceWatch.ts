import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useGeneralSettings, useServices, useStore } from '../state/services';

const PERIOD_MS = 10_000;

/** Keeps asking the service how it is. */
export function useServiceWatch(): void {
  const { askService, status } = useServices();
  const [{ preference, apiKey }] = useGeneralSettings();
  const cache = useQueryClient();
  const { state } = useStore(status);
  useQuery({
    queryKey: ['readiness', apiKey],
    queryFn: () => askService().then(() => null),
    refetchInterval: PERIOD_MS,
    enabled: preference !== 'browser',
  });
  // Answers from before the service went or came back are outdated.
  useEffect(() => {
    if (state === 'ready' || state === 'unreachable') void cache.invalidateQueries({ queryKey: ['service'] });
  }, [state, cache]);
}
