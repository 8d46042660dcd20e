import type { ComponentType } from 'react';
import type { TaskId } from '../api/constants';
import type { Task } from '../processing/task';
import type { Services } from './services';
import type { AnyPart } from './settings';

/** What the frame has to know of a section of the app. */
export interface Feature {
  id: string;
  /** The fragment of the address that shows it. */
  fragment: string;
  /** Keys of the translations. */
  titleKey: string;
  Icon: ComponentType<{ size: number; stroke: number; 'aria-hidden': true }>;
  Screen: ComponentType;
  /** The settings of its own. */
  settings: readonly AnyPart[];
  /** Names in the translations below `shortcuts.`, and keys; shown in the dialog of shortcuts. */
  shortcuts: readonly (readonly [name: string, keys: string])[];
}

/** A section for a kind of work. */
export interface TaskFeature extends Feature {
  id: TaskId;
  /** null: its work is not a processor's, since only the service does it. */
  task: Task | null;
  /** Whether it takes more than one file at a time. */
  takesMany: boolean;
  /** Asks the user for files, and takes them. Missing: any images are asked for. */
  pick?(services: Services): void;
  /** Takes files that were dropped, pasted, picked, or passed on by another section. At least one. */
  take(services: Services, files: readonly File[]): void;
}
