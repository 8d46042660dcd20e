/** The queue of images to work on: what is known of each, and how far it is. */

import type { Checked } from '../files/check';
import type { ImageHeader } from '../imaging/headers';
import type { Message } from '../lib/message';
import type { TaskOptions } from '../processing/options';
import type { ProcessProgress, ProcessResult } from '../processing/processor';

/**
 * checking: its file is being checked. refused: it will not be sent, and `message` says why. ready: the user can start
 * it. waiting: it starts when its turn comes.
 */
export type ItemState =
  'checking' | 'refused' | 'ready' | 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

export interface QueueItem {
  id: string;
  file: Blob;
  fileName: string;
  addedMs: number;
  state: ItemState;
  probe: ImageHeader | null;
  thumbnail: Blob | null;
  /** The options of the latest run; null before the first one. */
  options: TaskOptions | null;
  /** The image is an animation, and the user wants its first frame. */
  firstFrame: boolean;
  progress: ProcessProgress | null;
  result: ProcessResult | null;
  message: Message | null;
  /** The service's job, which a later page can resume or fetch. */
  jobId: string | null;
}

export interface QueueState {
  items: readonly QueueItem[];
  selectedId: string | null;
}

export type QueueAction =
  | { type: 'added'; items: { id: string; file: Blob; fileName: string; addedMs: number }[] }
  | { type: 'restored'; items: QueueItem[] }
  | ({ type: 'checked'; id: string } & Checked)
  | { type: 'first-frame'; id: string }
  | { type: 'submitted'; ids: string[]; options: TaskOptions }
  | { type: 'started'; id: string }
  | { type: 'progressed'; id: string; progress: ProcessProgress }
  | { type: 'finished'; id: string; result: ProcessResult }
  | { type: 'failed'; id: string; message: Message }
  | { type: 'cancelled'; id: string }
  | { type: 'removed'; ids: string[] }
  | { type: 'selected'; id: string | null };

export const EMPTY_QUEUE: QueueState = { items: [], selectedId: null };

/** States in which an item can be submitted, for the first time or again. */
const IDLE: readonly ItemState[] = ['ready', 'failed', 'cancelled', 'done'];

export function isActive(item: QueueItem): boolean {
  return item.state === 'waiting' || item.state === 'running';
}

export function reduceQueue(state: QueueState, action: QueueAction): QueueState {
  switch (action.type) {
    case 'added': {
      const items = action.items.map((item) => newItem(item.id, item.file, item.fileName, item.addedMs));
      return { items: [...state.items, ...items], selectedId: state.selectedId ?? items[0]?.id ?? null };
    }
    case 'restored': {
      const known = new Set(state.items.map((item) => item.id));
      const items = [...action.items.filter((item) => !known.has(item.id)), ...state.items];
      return { items, selectedId: state.selectedId ?? items[0]?.id ?? null };
    }
    case 'checked':
      return change(state, action.id, ['checking'], {
        probe: action.probe,
        thumbnail: action.thumbnail,
        message: action.refusal,
        state: action.refusal ? 'refused' : 'ready',
      });
    case 'first-frame':
      return change(state, action.id, ['refused'], { firstFrame: true, message: null, state: 'checking' });
    case 'submitted':
      return action.ids.reduce((now, id) => submit(now, id, action.options), state);
    case 'started':
      return change(state, action.id, ['waiting'], { state: 'running' });
    case 'progressed': {
      const jobId = action.progress.jobId;
      return change(state, action.id, ['running'], {
        progress: action.progress,
        ...(jobId === undefined ? {} : { jobId }),
      });
    }
    case 'finished':
      return change(state, action.id, ['running'], {
        state: 'done',
        result: action.result,
        progress: null,
        message: null,
        jobId: action.result.jobId ?? null,
      });
    case 'failed':
      return change(state, action.id, ['running', 'waiting'], {
        state: 'failed',
        message: action.message,
        progress: null,
        jobId: null,
      });
    case 'cancelled':
      return change(state, action.id, ['running', 'waiting'], {
        state: 'cancelled',
        progress: null,
        jobId: null,
      });
    case 'removed': {
      const gone = new Set(action.ids);
      const items = state.items.filter((item) => !gone.has(item.id));
      return { items, selectedId: nextSelected(state, items, gone) };
    }
    case 'selected':
      return state.selectedId === action.id ? state : { ...state, selectedId: action.id };
  }
}

function newItem(id: string, file: Blob, fileName: string, addedMs: number): QueueItem {
  return {
    id,
    file,
    fileName,
    addedMs,
    state: 'checking',
    probe: null,
    thumbnail: null,
    options: null,
    firstFrame: false,
    progress: null,
    result: null,
    message: null,
    jobId: null,
  };
}

function submit(state: QueueState, id: string, options: TaskOptions): QueueState {
  const item = state.items.find((one) => one.id === id);
  if (!item) return state;
  return change(state, id, IDLE, {
    state: 'waiting',
    options: { ...options, firstFrame: options.firstFrame || item.firstFrame },
    progress: null,
    result: null,
    message: null,
    jobId: null,
  });
}

/** An event that comes too late, when the item is in another state, changes nothing. */
function change(
  state: QueueState,
  id: string,
  from: readonly ItemState[],
  changes: Partial<QueueItem>,
): QueueState {
  const at = state.items.findIndex((item) => item.id === id);
  const item = state.items[at];
  if (!item || !from.includes(item.state)) return state;
  return { ...state, items: state.items.with(at, { ...item, ...changes }) };
}

/** The selection moves to a neighbour of a removed item. */
function nextSelected(before: QueueState, left: readonly QueueItem[], gone: Set<string>): string | null {
  if (before.selectedId === null || !gone.has(before.selectedId)) return before.selectedId;
  const at = before.items.findIndex((item) => item.id === before.selectedId);
  const after = before.items.slice(at).find((item) => !gone.has(item.id));
  return after?.id ?? left.at(-1)?.id ?? null;
}
