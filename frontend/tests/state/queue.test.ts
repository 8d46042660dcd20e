import { describe, expect, test } from 'vitest';
import type { ProcessResult } from '../../src/processing/processor';
import { EMPTY_QUEUE, reduceQueue, type QueueAction, type QueueState } from '../../src/state/queue';
import { OPTIONS } from '../options';

const RESULT: ProcessResult = {
  blob: new Blob(['x']),
  width: 2,
  height: 2,
  mode: 'server',
  model: 'm',
  device: 'cpu',
  notes: [],
  timing: { totalMs: 1 },
  jobId: 'j1',
};
const REFUSAL = { key: 'refusals.animated', retryable: false };

function after(...actions: QueueAction[]): QueueState {
  return actions.reduce(reduceQueue, EMPTY_QUEUE);
}

function added(...ids: string[]): QueueAction {
  return { type: 'added', items: ids.map((id) => ({ id, file: new Blob(['a']), fileName: id, addedMs: 0 })) };
}

function checked(id: string): QueueAction {
  return { type: 'checked', id, probe: null, thumbnail: null, refusal: null };
}

const RUNNING: QueueAction[] = [
  added('a'),
  checked('a'),
  { type: 'submitted', ids: ['a'], options: OPTIONS },
  { type: 'started', id: 'a' },
];

describe('the states of an item', () => {
  test('the first one added is selected, later ones are not', () => {
    const state = after(added('a'), added('b'));
    expect(state.selectedId).toBe('a');
    expect(state.items.map((item) => item.state)).toEqual(['checking', 'checking']);
  });

  test('a refused one is not submitted', () => {
    const state = after(
      added('a'),
      { type: 'checked', id: 'a', probe: null, thumbnail: null, refusal: REFUSAL },
      { type: 'submitted', ids: ['a'], options: OPTIONS },
    );
    expect(state.items[0]).toMatchObject({ state: 'refused', message: REFUSAL, options: null });
  });

  test('the first frame of an animation can be chosen, and its options then say so', () => {
    const state = after(
      added('a'),
      { type: 'checked', id: 'a', probe: null, thumbnail: null, refusal: REFUSAL },
      { type: 'first-frame', id: 'a' },
      checked('a'),
      { type: 'submitted', ids: ['a'], options: OPTIONS },
    );
    expect(state.items[0]).toMatchObject({ state: 'waiting', message: null });
    expect(state.items[0]?.options?.firstFrame).toBe(true);
  });

  test('the job is kept as soon as it is known, for a later page', () => {
    const progress = { stage: 'computing', done: 0, total: 4, fraction: 0.1, mode: 'server' } as const;
    const state = after(
      ...RUNNING,
      { type: 'progressed', id: 'a', progress: { ...progress, jobId: 'j1' } },
      { type: 'progressed', id: 'a', progress },
    );
    expect(state.items[0]?.jobId).toBe('j1');
  });

  test('a finished one can be submitted again, and forgets its result', () => {
    const done = after(...RUNNING, { type: 'finished', id: 'a', result: RESULT });
    expect(done.items[0]).toMatchObject({ state: 'done', jobId: 'j1', progress: null });
    const again = reduceQueue(done, { type: 'submitted', ids: ['a'], options: OPTIONS });
    expect(again.items[0]).toMatchObject({ state: 'waiting', result: null, jobId: null });
  });

  test('what comes after a cancellation changes nothing', () => {
    const cancelled = after(...RUNNING, { type: 'cancelled', id: 'a' });
    expect(reduceQueue(cancelled, { type: 'finished', id: 'a', result: RESULT })).toBe(cancelled);
    expect(reduceQueue(cancelled, { type: 'failed', id: 'a', message: REFUSAL })).toBe(cancelled);
  });

  test('what comes for a removed one changes nothing', () => {
    const state = after(...RUNNING, { type: 'removed', ids: ['a'] });
    expect(reduceQueue(state, { type: 'finished', id: 'a', result: RESULT })).toBe(state);
  });
});

describe('the selection', () => {
  test('moves to the next one, and to the last if there is no next', () => {
    const three = after(added('a', 'b', 'c'), { type: 'selected', id: 'b' });
    const two = reduceQueue(three, { type: 'removed', ids: ['b'] });
    expect(two.selectedId).toBe('c');
    const one = reduceQueue(two, { type: 'removed', ids: ['c'] });
    expect(one.selectedId).toBe('a');
    expect(reduceQueue(one, { type: 'removed', ids: ['a'] }).selectedId).toBeNull();
  });

  test('stays where it is when another one goes', () => {
    const state = after(added('a', 'b'), { type: 'removed', ids: ['b'] });
    expect(state.selectedId).toBe('a');
  });
});
