/** Looks at what is added to the queue, one file at a time: decoding many at once would need much memory. */

import { checkFile, type Decoder, type InputLimits } from '../files/check';
import type { QueueAction, QueueState } from './queue';
import type { Store } from './store';

export function startChecker(
  queue: Store<QueueState, QueueAction>,
  limits: () => Promise<InputLimits>,
  decoder: Decoder,
): () => void {
  let isBusy = false;
  const next = async () => {
    if (isBusy) return;
    isBusy = true;
    for (let item = unchecked(queue); item; item = unchecked(queue)) {
      const checked = await checkFile(item.file, await limits(), item.firstFrame, decoder);
      queue.dispatch({ type: 'checked', id: item.id, ...checked });
    }
    isBusy = false;
  };
  void next();
  return queue.subscribe(() => void next());
}

function unchecked(queue: Store<QueueState, QueueAction>) {
  return queue.get().items.find((item) => item.state === 'checking');
}
