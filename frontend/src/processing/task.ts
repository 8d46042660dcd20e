import type { FormFields } from '../api/client';
import type { TaskId } from '../api/constants';
import type { TaskOptions } from './options';

/** What processors have to know of a task. Its options are known to the task alone. */
export interface Task {
  id: TaskId;
  /** The text fields of `POST /api/jobs` that are the task's own. */
  fieldsOf(options: TaskOptions): FormFields;
  /** Ids of all models that the options name. */
  modelsOf(options: TaskOptions): readonly string[];
}

/** A task only ever receives options that it made, so that their type is certain. */
export function defineTask<Options extends TaskOptions>(task: {
  id: Options['task'];
  fieldsOf: (options: Options) => FormFields;
  modelsOf: (options: Options) => readonly (string | null)[];
}): Task {
  return {
    id: task.id,
    fieldsOf: (options) => task.fieldsOf(options as Options),
    modelsOf: (options) => task.modelsOf(options as Options).filter((model) => model !== null),
  };
}

export function taskOf(tasks: readonly Task[], options: TaskOptions): Task {
  const task = tasks.find(({ id }) => id === options.task);
  if (task === undefined) throw new RangeError(`this app has no task ${options.task}`);
  return task;
}
