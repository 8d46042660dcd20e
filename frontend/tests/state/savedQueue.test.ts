import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import type { ProcessResult } from '../../src/processing/processor';
import { openSavedQueue, restoredItem, type StoredItem } from '../../src/state/savedQueue';
import { EMPTY_QUEUE, reduceQueue, type QueueAction, type QueueState } from '../../src/state/queue';
import { OPTIONS } from '../options';

function queueOf(...actions: QueueAction[]): QueueState {
  const items = ['a', 'b'].map((id, n) => ({
    id,
    file: new Blob([id]),
    fileName: `${id}.png`,
    addedMs: 10 - n,
  }));
  const first: QueueAction[] = [
    { type: 'added', items },
    { type: 'checked', id: 'a', probe: null, thumbnail: null, refusal: null },
    { type: 'submitted', ids: ['a'], options: OPTIONS },
    { type: 'started', id: 'a' },
  ];
  return [...first, ...actions].reduce(reduceQueue, EMPTY_QUEUE);
}

const PROGRESS: QueueAction = {
  type: 'progressed',
  id: 'a',
  progress: { stage: 'computing', done: 1, total: 2, fraction: 0.5, mode: 'server', jobId: 'j1' },
};

function finished(mode: 'server' | 'browser'): QueueAction {
  const result = { blob: new Blob(['r']), mode, notes: [], jobId: mode === 'server' ? 'j1' : undefined };
  return { type: 'finished', id: 'a', result: result as unknown as ProcessResult };
}

async function reloaded(name: string, ...states: QueueState[]): Promise<StoredItem[]> {
  const saved = await openSavedQueue(name);
  for (const state of states) await saved.save(state);
  return (await openSavedQueue(name)).load();
}

test('a running job comes back as one that waits to be resumed, in the order of the queue', async () => {
  const items = (await reloaded('running', queueOf(PROGRESS))).map(restoredItem);
  expect(items.map((item) => item.id)).toEqual(['b', 'a']);
  expect(items[1]).toMatchObject({ state: 'waiting', jobId: 'j1', progress: null, options: OPTIONS });
  expect(items[0]).toMatchObject({ state: 'checking' });
});

test("the service's result is fetched again from its job store, this browser's own is kept", async () => {
  const [, server] = (await reloaded('server', queueOf(PROGRESS, finished('server')))).map(restoredItem);
  expect(server).toMatchObject({ state: 'waiting', jobId: 'j1', result: null });
  const [, browser] = (await reloaded('browser', queueOf(finished('browser')))).map(restoredItem);
  expect(browser).toMatchObject({ state: 'done', result: { mode: 'browser' } });
});

test('what was removed does not come back', async () => {
  const state = queueOf();
  const left = await reloaded('removed', state, reduceQueue(state, { type: 'removed', ids: ['a'] }));
  expect(left.map((item) => item.id)).toEqual(['b']);
});

test('a queue that the first version wrote is loaded', async () => {
  const item = {
    id: 'a',
    file: new Blob(['a']),
    fileName: 'a.png',
    addedMs: 1,
    state: 'running',
    probe: { format: 'png', widthPx: 8, heightPx: 6, isAnimated: false, isComplete: true },
    thumbnail: null,
    options: OPTIONS,
    firstFrame: false,
    result: null,
    message: null,
    jobId: 'j1',
  };
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open('first', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('queue', { keyPath: 'id' }).put(item);
    request.onsuccess = () => resolve(request.result.close());
    request.onerror = () => reject(new Error('not opened'));
  });
  const [stored] = (await (await openSavedQueue('first')).load()).map(restoredItem);
  expect(stored).toMatchObject({
    id: 'a',
    state: 'waiting',
    jobId: 'j1',
    options: OPTIONS,
    probe: item.probe,
  });
});
