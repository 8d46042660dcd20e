/**
 * The engine's large files, kept for when the page's own server is gone. The browser's ordinary cache takes the
 * small ones; what is as large as the runtime it may refuse. Pages that are not secure have no such store.
 */

const NAME = 'pixelmend-engine';

/** Fetches what is not there yet, and forgets what is no longer wanted: files of earlier builds. */
export async function keep(urls: readonly string[]): Promise<void> {
  if (typeof caches === 'undefined') return;
  const store = await caches.open(NAME);
  for (const { url } of await store.keys()) if (!urls.includes(url)) await store.delete(url);
  for (const url of urls) {
    if ((await store.match(url)) === undefined) await store.add(new Request(url, { priority: 'low' }));
  }
}

/** What was kept; null where it was not. */
export async function kept(url: string): Promise<Response | null> {
  if (typeof caches === 'undefined') return null;
  return (await caches.match(url, { cacheName: NAME })) ?? null;
}
