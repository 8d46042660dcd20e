/** Has the browser's engine fetched while there is a server to fetch it from: when that is gone it is needed. */

import type { BrowserProcessor } from '../processing/browser';
import type { ServiceStatus } from '../state/status';

interface Watched {
  get: () => ServiceStatus;
  subscribe: (listener: () => void) => () => void;
}

/**
 * Once, when the service is ready and the page has nothing else to do. `isWanted`: a page that shall use the
 * service alone needs no engine. `onKept` is called when all of it is there.
 */
export function prefetchWhenIdle(
  status: Watched,
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
