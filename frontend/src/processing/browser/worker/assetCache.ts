/**
 * Keeps the engine's large files, for the time when the page's own server is gone. The browser's ordinary cache keeps
 * the small ones, but may refuse a file as large as the runtime. Pages that are not secure have no such cache.
 */

const NAME = 'pixelmend-engine';

/** Fetches what is missing, and removes all other files, which belong to earlier builds. */
export async function keep(urls: readonly string[]): Promise<void> {
  if (typeof caches === 'undefined') return;
  const cache = await caches.open(NAME);
  for (const { url } of await cache.keys()) if (!urls.includes(url)) await cache.delete(url);
  for (const url of urls) {
    if ((await cache.match(url)) === undefined) await cache.add(new Request(url, { priority: 'low' }));
  }
}

/** null if the file was not kept. */
export async function kept(url: string): Promise<Response | null> {
  if (typeof caches === 'undefined') return null;
  return (await caches.match(url, { cacheName: NAME })) ?? null;
}
