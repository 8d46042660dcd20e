import { expect, test } from 'vitest';
import type { ProcessInput, Processor, ProcessResult } from '../../src/processing/processor';
import { ProcessError } from '../../src/lib/errors';
import { EMPTY_QUEUE, reduceQueue } from '../../src/state/queue';
import { startRunner } from '../../src/state/runner';
import { createStore } from '../../src/lib/store';
import { OPTIONS } from '../options';

interface Call {
  input: ProcessInput;
  signal: AbortSignal;
  finish: () => void;
  fail: (error: unknown) => void;
}

/** A processor that does what the test says, when it says so. */
function handProcessor() {
  const calls: Call[] = [];
  const processor: Processor = {
    capabilities: () => Promise.reject(new Error('not asked for')),
    process: (input, _options, _onProgress, signal) =>
      new Promise((resolve, reject) => {
        const result = { blob: input.file, notes: [], mode: 'server' } as unknown as ProcessResult;
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        calls.push({ input, signal, finish: () => resolve(result), fail: reject });
      }),
  };
  return { calls, processor };
}

function queueOf(...ids: string[]) {
  const queue = createStore(reduceQueue, EMPTY_QUEUE);
  queue.dispatch({
    type: 'added',
    items: ids.map((id) => ({ id, file: new Blob([id]), fileName: id, addedMs: 0 })),
  });
  for (const id of ids) queue.dispatch({ type: 'checked', id, probe: null, thumbnail: null, refusal: null });
  return queue;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('as many run as there are slots; the next one follows when one ends, however it ends', async () => {
  const { calls, processor } = handProcessor();
  const queue = queueOf('a', 'b', 'c', 'd');
  startRunner(queue, processor, () => 2);
  queue.dispatch({ type: 'submitted', ids: ['a', 'b', 'c', 'd'], options: OPTIONS });
  const states = () => queue.get().items.map((item) => item.state);
  expect(states()).toEqual(['running', 'running', 'waiting', 'waiting']);
  calls[0]?.finish();
  await settled();
  expect(states()).toEqual(['done', 'running', 'running', 'waiting']);
  calls[1]?.fail(new ProcessError('busy', 'full', { retryable: true }));
  await settled();
  expect(states()).toEqual(['done', 'failed', 'running', 'running']);
  expect(queue.get().items[1]?.message).toMatchObject({ key: 'errors.busy', retryable: true });
  expect(calls).toHaveLength(4);
});

test('cancelling ends the work, and the item is cancelled rather than failed', async () => {
  const { calls, processor } = handProcessor();
  const queue = queueOf('a');
  const runner = startRunner(queue, processor, () => 1);
  queue.dispatch({ type: 'submitted', ids: ['a'], options: OPTIONS });
  runner.cancel('a');
  await settled();
  expect(calls[0]?.signal.aborted).toBe(true);
  expect(queue.get().items[0]).toMatchObject({ state: 'cancelled', message: null });
});

test('removing an item ends its work', async () => {
  const { calls, processor } = handProcessor();
  const queue = queueOf('a');
  startRunner(queue, processor, () => 1);
  queue.dispatch({ type: 'submitted', ids: ['a'], options: OPTIONS });
  queue.dispatch({ type: 'removed', ids: ['a'] });
  await settled();
  expect(calls[0]?.signal.aborted).toBe(true);
  expect(queue.get().items).toEqual([]);
});

test('an item that was cancelled and begun again gets the result of its second run', async () => {
  const { calls, processor } = handProcessor();
  const queue = queueOf('a');
  const runner = startRunner(queue, processor, () => 1);
  queue.dispatch({ type: 'submitted', ids: ['a'], options: OPTIONS });
  runner.cancel('a');
  queue.dispatch({ type: 'submitted', ids: ['a'], options: OPTIONS });
  await settled();
  calls[1]?.finish();
  await settled();
  expect(calls).toHaveLength(2);
  expect(queue.get().items[0]?.state).toBe('done');
});

test('a job of an earlier page is resumed', () => {
  const { calls, processor } = handProcessor();
  const queue = queueOf('a');
  queue.dispatch({ type: 'submitted', ids: ['a'], options: OPTIONS });
  const item = queue.get().items[0];
  if (!item) throw new Error('no item');
  const later = createStore(reduceQueue, { items: [{ ...item, jobId: 'j7' }], selectedId: null });
  startRunner(later, processor, () => 1);
  expect(calls[0]?.input.resumeJobId).toBe('j7');
});
