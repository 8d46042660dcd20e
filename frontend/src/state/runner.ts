/** Works through the queue: starts waiting items, several at a time if the mode allows it. */

import { messageOf } from '../lib/message';
import type { Store } from '../lib/store';
import type { TaskOptions } from '../processing/options';
import type { Processor, ProcessProgress } from '../processing/processor';
import type { QueueAction, QueueItem, QueueState } from './queue';

export interface Runner {
  /** Ends an item that is running or waiting. */
  cancel(id: string): void;
  stop(): void;
}

export function startRunner(
  queue: Store<QueueState, QueueAction>,
  processor: Processor,
  /** How many run at a time. */
  slots: () => number,
): Runner {
  const running = new Map<string, AbortController>();

  const run = async (item: QueueItem, options: TaskOptions) => {
    const controller = new AbortController();
    running.set(item.id, controller);
    // A cancelled item may be in the queue again. Then the outcome of this run does not matter.
    const dispatch = (action: QueueAction) => {
      if (running.get(item.id) === controller) queue.dispatch(action);
    };
    dispatch({ type: 'started', id: item.id });
    const onProgress = (progress: ProcessProgress) => dispatch({ type: 'progressed', id: item.id, progress });
    const input = {
      file: item.file,
      fileName: item.fileName,
      ...(item.jobId === null ? {} : { resumeJobId: item.jobId }),
    };
    try {
      const result = await processor.process(input, options, onProgress, controller.signal);
      dispatch({ type: 'finished', id: item.id, result });
    } catch (error) {
      dispatch({ type: 'failed', id: item.id, message: messageOf(error) });
    } finally {
      if (running.get(item.id) === controller) running.delete(item.id);
      fill();
    }
  };

  const abort = (id: string, why: string) => {
    const controller = running.get(id);
    running.delete(id);
    controller?.abort(new DOMException(why, 'AbortError'));
  };

  let isFilling = false;
  const fill = () => {
    // Starting an item changes the queue, which calls this function again.
    if (isFilling) return;
    isFilling = true;
    const { items } = queue.get();
    // The result of a removed item is not wanted.
    for (const id of [...running.keys()]) if (!items.some((item) => item.id === id)) abort(id, 'removed');
    for (const item of items) {
      if (running.size >= slots()) break;
      if (item.state === 'waiting' && item.options && !running.has(item.id)) void run(item, item.options);
    }
    isFilling = false;
  };

  const end = queue.subscribe(fill);
  fill();
  return {
    cancel: (id) => {
      abort(id, 'cancelled');
      queue.dispatch({ type: 'cancelled', id });
    },
    stop: () => {
      end();
      for (const id of [...running.keys()]) abort(id, 'stopped');
    },
  };
}
