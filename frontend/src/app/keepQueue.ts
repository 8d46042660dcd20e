import { openArchive, restoredItem } from '../state/archive';
import type { Services } from './services';

/** Brings back the queue of an earlier page, and keeps this one's. Without storage the queue lasts as long as the page. */
export async function keepQueue({ queue }: Services): Promise<void> {
  try {
    const archive = await openArchive();
    const stored = await archive.load();
    if (stored.length > 0) queue.dispatch({ type: 'restored', items: stored.map(restoredItem) });
    let isSaving = false;
    let isStale = true;
    const save = async () => {
      isStale = true;
      if (isSaving) return;
      isSaving = true;
      while (isStale) {
        isStale = false;
        await archive.save(queue.get()).catch(() => undefined);
      }
      isSaving = false;
    };
    queue.subscribe(() => void save());
    await save();
  } catch {
    // A private window, or a full disk.
  }
}
