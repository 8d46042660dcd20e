/** Saves the queue in IndexedDB, so that it survives a reload: files, options, and the jobs that work on them. */

import { type DBSchema, openDB } from 'idb';
import type { ProcessResult } from '../processing/processor';
import type { QueueItem, QueueState } from './queue';

const STORE = 'queue';

/** What is stored of an item. `result` is null for a result of the service, which the service itself keeps. */
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

export interface SavedQueue {
  load(): Promise<StoredItem[]>;
  /** Writes what has changed since the last call. */
  save(state: QueueState): Promise<void>;
}

interface Schema extends DBSchema {
  queue: { key: string; value: StoredItem };
}

export async function openSavedQueue(name = 'pixelmend'): Promise<SavedQueue> {
  const db = await openDB<Schema>(name, 1, {
    upgrade: (created) => void created.createObjectStore(STORE, { keyPath: 'id' }),
  });
  const written = new Map<string, string>();
  return {
    load: async () => {
      const items = await db.getAll(STORE);
      for (const item of items) written.set(item.id, fingerprint(item));
      return items.sort((a, b) => a.addedMs - b.addedMs);
    },
    save: async (state) => {
      const present = new Set(state.items.map((item) => item.id));
      const gone = [...written.keys()].filter((id) => !present.has(id));
      const changed = state.items.map(storedOf).filter((item) => written.get(item.id) !== fingerprint(item));
      if (gone.length === 0 && changed.length === 0) return;
      for (const id of gone) written.delete(id);
      for (const item of changed) written.set(item.id, fingerprint(item));
      const { store, done } = db.transaction(STORE, 'readwrite');
      const deletions = gone.map((id) => store.delete(id));
      await Promise.all([...deletions, ...changed.map((item) => store.put(item)), done]);
    },
  };
}

/** A restored item is checked again, goes on, or is fetched from the service's job store. */
export function restoredItem(stored: StoredItem): QueueItem {
  const item: QueueItem = { ...stored, progress: null };
  switch (stored.state) {
    case 'waiting':
    case 'running':
      return { ...item, state: 'waiting', result: null };
    case 'done':
      // The page has no copy of a job's result, so it is fetched again.
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

/** Changes whenever the item has to be written again. Progress is not written. */
function fingerprint(item: StoredItem): string {
  return JSON.stringify([item.state, item.jobId, item.firstFrame, item.options, item.result !== null]);
}
