/** Works the queue off: starts what waits, as many at a time as the mode bears. */

import type { Processor, ProcessProgress, UpscaleOptions } from '../processing/processor';
import { messageOf } from './message';
import type { QueueAction, QueueItem, QueueState } from './queue';
import type { Store } from './store';

export interface Runner {
  /** Ends what is running or waiting. */
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

  const run = async (item: QueueItem, options: UpscaleOptions) => {
    const controller = new AbortController();
    running.set(item.id, controller);
    // Cancelled, it may be in the queue again: then what becomes of this run is nobody's concern.
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
    // Starting one changes the queue, which calls this again.
    if (isFilling) return;
    isFilling = true;
    const { items } = queue.get();
    // What was removed has nobody who wants it.
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
