import type { Store } from '../lib/store';
import type { BrowserProcessor } from '../processing/browser';
import type { ServiceStatus } from '../state/status';

type StatusStore = Pick<Store<ServiceStatus, never>, 'get' | 'subscribe'>;

/**
 * Has the browser's engine fetched while there is a server to fetch it from, since it is needed when the server is gone.
 * This happens once, when the service is ready and the page is idle. `isWanted` is false for a page that uses the
 * service alone. `onKept` is called when all of the engine is there.
 */
export function prefetchWhenIdle(
  status: StatusStore,
  browser: BrowserProcessor,
  isWanted: () => boolean,
  onKept: () => void,
): void {
  const stop = status.subscribe(() => {
    if (status.get().state !== 'ready' || !isWanted()) return;
    stop();
    whenIdle(() => void browser.prefetchEngine().then((isKept) => isKept && onKept()));
  });
}

function whenIdle(work: () => void): void {
  // Safari has no such callback.
  if ('requestIdleCallback' in window) requestIdleCallback(work);
  else setTimeout(work, 2000);
}
