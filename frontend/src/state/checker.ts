import type { checkFile } from '../files/check';
import type { Store } from '../lib/store';
import type { QueueAction, QueueItem, QueueState } from './queue';

type Check = (item: QueueItem) => ReturnType<typeof checkFile>;

/** Checks new images of the queue, one at a time: decoding many at once would need much memory. */
export function startChecker(queue: Store<QueueState, QueueAction>, check: Check): () => void {
  let isBusy = false;
  const next = async () => {
    if (isBusy) return;
    isBusy = true;
    for (let item = unchecked(queue); item; item = unchecked(queue)) {
      queue.dispatch({ type: 'checked', id: item.id, ...(await check(item)) });
    }
    isBusy = false;
  };
  void next();
  return queue.subscribe(() => void next());
}

function unchecked(queue: Store<QueueState, QueueAction>): QueueItem | undefined {
  return queue.get().items.find((item) => item.state === 'checking');
}
