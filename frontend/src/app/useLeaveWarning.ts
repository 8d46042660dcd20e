import { useEffect } from 'react';
import { useServices, useStore } from '../state/services';

/** While a film is being sent, the browser asks before the page is left: what was sent so far would be lost. */
export function useLeaveWarning(): void {
  const { films } = useServices();
  const isSending = useStore(films).films.some(({ state, jobId }) => state === 'running' && jobId === null);
  useEffect(() => {
    if (!isSending) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [isSending]);
}
