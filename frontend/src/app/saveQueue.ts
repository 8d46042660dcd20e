import { openSavedQueue, restoredItem } from '../state/savedQueue';
import type { Services } from '../state/services';

/** Restores the queue of an earlier page and saves this one's. Without storage the queue lasts as long as the page. */
export async function saveQueue({ queue }: Services): Promise<void> {
  try {
    const saved = await openSavedQueue();
    const stored = await saved.load();
    if (stored.length > 0) queue.dispatch({ type: 'restored', items: stored.map(restoredItem) });
    let isSaving = false;
    let isStale = true;
    const save = async () => {
      isStale = true;
      if (isSaving) return;
      isSaving = true;
      while (isStale) {
        isStale = false;
        await saved.save(queue.get()).catch(() => undefined);
      }
      isSaving = false;
    };
    queue.subscribe(() => void save());
    await save();
  } catch {
    // A private window, or a full disk.
  }
}
