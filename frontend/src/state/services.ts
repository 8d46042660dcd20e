/** What the app consists of. `app/createServices.ts` builds it once, and components get it from the context. */

import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Api } from '../api/client';
import type { TaskId } from '../api/constants';
import type { InputLimits } from '../files/check';
import type { FilmLimits } from '../files/film';
import type { Store } from '../lib/store';
import type { BrowserProcessor } from '../processing/browser';
import type { Processor } from '../processing/processor';
import type { Task } from '../processing/task';
import type { ChosenStore } from './chosen';
import type { FilmRunner } from './filmRunner';
import type { FilmsAction, FilmsState } from './films';
import type { QueueAction, QueueState } from './queue';
import type { Runner } from './runner';
import { generalSettings, type Settings, type SettingsAction, type SettingsPart, valuesOf } from './settings';
import type { ServiceStatus, StatusAction } from './status';

export interface BuildOptions {
  /** A build for the browser alone never asks a service. */
  browserOnly: boolean;
  apiUrl: string;
}

export interface Services {
  build: BuildOptions;
  api: Api;
  tasks: readonly Task[];
  settings: Store<Settings, SettingsAction>;
  queue: Store<QueueState, QueueAction>;
  chosen: ChosenStore;
  status: Store<ServiceStatus, StatusAction>;
  browser: BrowserProcessor;
  processor: Processor;
  runner: Runner;
  films: Store<FilmsState, FilmsAction>;
  filmRunner: FilmRunner;
  limits: () => Promise<InputLimits & FilmLimits>;
  /** Asks the service how it is, and keeps the answer. */
  askService: () => Promise<void>;
  /** Passes images on to the section of a task, and shows it. */
  openIn: (task: TaskId, files: readonly File[]) => void;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === null) throw new Error('there are no services above this component');
  return services;
}

export function useStore<State, Action>(store: Store<State, Action>): State {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** One part of the settings, and how to change it. */
export function useSettings<Values extends object>(
  part: SettingsPart<Values>,
): [Values, (changes: Partial<Values>) => void] {
  const { settings } = useServices();
  const values = valuesOf(useStore(settings), part);
  return [values, (changes) => settings.dispatch({ type: 'set', changes })];
}

export function useGeneralSettings() {
  return useSettings(generalSettings);
}
