/** Keeps the queue through a reload, in IndexedDB: files, options, and the jobs that work on them. */

import type { ProcessResult } from '../processing/processor';
import type { QueueItem, QueueState } from './queue';

const STORE = 'queue';

/** What is stored of an item; `result` only of the browser's: the service keeps its own. */
export interface StoredItem extends Pick<
  QueueItem,
  | 'id'
  | 'file'
  | 'fileName'
  | 'addedMs'
  | 'state'
  | 'probe'
  | 'thumbnail'
  | 'options'
  | 'firstFrame'
  | 'message'
  | 'jobId'
> {
  result: ProcessResult | null;
}

export interface QueueArchive {
  load(): Promise<StoredItem[]>;
  /** Writes what has changed since the last call. */
  save(state: QueueState): Promise<void>;
}

export async function openArchive(
  name = 'pixelmend',
  factory: IDBFactory = indexedDB,
): Promise<QueueArchive> {
  const db = await openDatabase(name, factory);
  const written = new Map<string, string>();
  return {
    load: async () => {
      const items = (await done(db.transaction(STORE).objectStore(STORE).getAll())) as StoredItem[];
      for (const item of items) written.set(item.id, fingerprint(item));
      return items.sort((a, b) => a.addedMs - b.addedMs);
    },
    save: async (state) => {
      const present = new Set(state.items.map((item) => item.id));
      const gone = [...written.keys()].filter((id) => !present.has(id));
      const changed = state.items.map(storedOf).filter((item) => written.get(item.id) !== fingerprint(item));
      if (gone.length === 0 && changed.length === 0) return;
      const store = db.transaction(STORE, 'readwrite').objectStore(STORE);
      const writes: Promise<unknown>[] = [];
      for (const id of gone) {
        written.delete(id);
        writes.push(done(store.delete(id)));
      }
      for (const item of changed) {
        written.set(item.id, fingerprint(item));
        writes.push(done(store.put(item)));
      }
      await Promise.all(writes);
    },
  };
}

/** What comes back is looked at anew, goes on, or is fetched from the service's job store. */
export function restoredItem(stored: StoredItem): QueueItem {
  const item: QueueItem = { ...stored, progress: null };
  switch (stored.state) {
    case 'waiting':
    case 'running':
      return { ...item, state: 'waiting', result: null };
    case 'done':
      // A job's result is asked for again: the page has no copy of it.
      return stored.result ? item : { ...item, state: stored.jobId ? 'waiting' : 'ready' };
    case 'checking':
    case 'ready':
    case 'refused':
      return { ...item, state: 'checking', message: null };
    case 'failed':
    case 'cancelled':
      return item;
  }
}

function storedOf(item: QueueItem): StoredItem {
  const { progress: _progress, ...kept } = item;
  return { ...kept, result: item.result?.mode === 'browser' ? item.result : null };
}

/** Changes with all that is worth a write; progress is not. */
function fingerprint(item: StoredItem): string {
  return JSON.stringify([item.state, item.jobId, item.firstFrame, item.options, item.result !== null]);
}

function openDatabase(name: string, factory: IDBFactory): Promise<IDBDatabase> {
  const request = factory.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the database request failed'));
  });
}
