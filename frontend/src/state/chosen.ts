import type { TaskId } from '../api/constants';
import type { Store } from '../lib/store';

/** A file and its name. */
export interface NamedFile {
  file: Blob;
  fileName: string;
}

/** The image that a task's screen works on. The same file chosen again is another image. */
export interface ChosenImage extends NamedFile {
  id: string;
}

/** For each task that works on one image at a time; tasks with a queue have no entry. */
export type ChosenImages = Readonly<Partial<Record<TaskId, ChosenImage>>>;

export interface ChoiceAction extends ChosenImage {
  task: TaskId;
}

export type ChosenStore = Store<ChosenImages, ChoiceAction>;

export function reduceChosen(state: ChosenImages, { task, ...image }: ChoiceAction): ChosenImages {
  return { ...state, [task]: image };
}
