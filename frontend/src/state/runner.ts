/** Works the queue off: starts what waits, as many at a time as the mode bears. */

import type { Processor, ProcessProgress } from '../processing/processor';
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

  const run = async (item: QueueItem) => {
    if (item.options === null) return;
    const controller = new AbortController();
    running.set(item.id, controller);
    queue.dispatch({ type: 'started', id: item.id });
    const onProgress = (progress: ProcessProgress) =>
      queue.dispatch({ type: 'progressed', id: item.id, progress });
    const input = {
      file: item.file,
      fileName: item.fileName,
      ...(item.jobId === null ? {} : { resumeJobId: item.jobId }),
    };
    try {
      const result = await processor.process(input, item.options, onProgress, controller.signal);
      queue.dispatch({ type: 'finished', id: item.id, result });
    } catch (error) {
      if (controller.signal.aborted) queue.dispatch({ type: 'cancelled', id: item.id });
      else queue.dispatch({ type: 'failed', id: item.id, message: messageOf(error) });
    } finally {
      // Unless it was begun again meanwhile.
      if (running.get(item.id) === controller) running.delete(item.id);
      fill();
    }
  };

  const fill = () => {
    const { items } = queue.get();
    // What was removed has nobody who wants it.
    for (const [id, controller] of running) {
      if (!items.some((item) => item.id === id)) controller.abort(new DOMException('removed', 'AbortError'));
    }
    for (const item of items) {
      if (running.size >= slots()) return;
      if (item.state === 'waiting' && !running.has(item.id)) void run(item);
    }
  };

  const end = queue.subscribe(fill);
  fill();
  return {
    cancel: (id) => {
      running.get(id)?.abort(new DOMException('cancelled', 'AbortError'));
      queue.dispatch({ type: 'cancelled', id });
    },
    stop: () => {
      end();
      for (const controller of running.values()) controller.abort(new DOMException('stopped', 'AbortError'));
    },
  };
}
