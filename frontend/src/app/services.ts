/** What the app is made of, built once by `main.tsx` and handed down. */

import { createContext, useContext, useSyncExternalStore } from 'react';
import { Api } from '../api/client';
import { createAutomaticProcessor } from '../processing/automatic';
import { createBrowserProcessor, type BrowserProcessor } from '../processing/browser';
import { ProcessError, type Processor } from '../processing/processor';
import { createRemoteProcessor } from '../processing/remote';
import { DEFAULT_LIMITS, type InputLimits } from '../files/check';
import { prefetchWhenIdle } from './prefetch';
import { browserDecoder } from '../files/decoder';
import { startChecker } from '../state/checker';
import { EMPTY_QUEUE, reduceQueue, type QueueAction, type QueueState } from '../state/queue';
import { startRunner, type Runner } from '../state/runner';
import { readSettings, reduceSettings, type Settings, type SettingsAction } from '../state/settings';
import { reduceStatus, type ServiceStatus, type StatusAction } from '../state/status';
import { createStore, type Store } from '../state/store';

export interface BuildOptions {
  /** A build for the browser alone never asks a service. */
  browserOnly: boolean;
  apiUrl: string;
}

export interface Services {
  build: BuildOptions;
  api: Api;
  settings: Store<Settings, SettingsAction>;
  queue: Store<QueueState, QueueAction>;
  status: Store<ServiceStatus, StatusAction>;
  browser: BrowserProcessor;
  processor: Processor;
  runner: Runner;
  /** The image to erase in; null until one is chosen. */
  erasing: Store<ChosenImage | null, Chosen>;
  limits: () => Promise<InputLimits>;
  /** Asks the service how it is, and keeps the answer. */
  askService: () => Promise<void>;
}

/** A file, and what it is called. */
export interface Chosen {
  file: Blob;
  fileName: string;
}

/** The same file chosen again is another image. */
export interface ChosenImage extends Chosen {
  id: string;
}

const SETTINGS_KEY = 'pixelmend-settings';
/** The service orders them itself; more at a time would only fill its queue. */
const SERVER_SLOTS = 2;

export function createServices(build: BuildOptions, storage: Storage | null): Services {
  const settings = createStore(reduceSettings, readSettings(storage?.getItem(SETTINGS_KEY) ?? null));
  settings.subscribe(() => {
    try {
      storage?.setItem(SETTINGS_KEY, JSON.stringify(settings.get()));
    } catch {
      // Full or forbidden: the settings last as long as the page.
    }
  });
  const status = createStore(reduceStatus, { state: 'unknown' });
  const queue = createStore(reduceQueue, EMPTY_QUEUE);
  const api = new Api({ baseUrl: build.apiUrl, apiKey: () => settings.get().apiKey });
  const preference = () => (build.browserOnly ? 'browser' : settings.get().preference);
  const browser = createBrowserProcessor();
  const requireReady = async () => {
    const { ready, reasons } = await api.readiness();
    if (!ready) throw new ProcessError('not-ready', reasons.join('; '), { retryable: true });
    status.dispatch({ type: 'ready' });
  };
  const onService = (error: ProcessError | null) =>
    status.dispatch(error === null ? { type: 'ready' } : { type: 'failed', error });
  const remote = createRemoteProcessor(api);
  const limits = async () => {
    if (preference() === 'browser') return DEFAULT_LIMITS;
    return api.info().then(
      (info) => info.limits,
      () => DEFAULT_LIMITS,
    );
  };
  startChecker(queue, limits, browserDecoder);
  prefetchWhenIdle(
    status,
    browser,
    () => preference() === 'auto',
    () => (document.documentElement.dataset.engine = 'kept'),
  );
  const processor = createAutomaticProcessor({ remote, browser, preference, requireReady, onService });
  return {
    build,
    api,
    settings,
    queue,
    status,
    browser,
    processor,
    runner: startRunner(queue, processor, () =>
      preference() !== 'browser' && status.get().state === 'ready' ? SERVER_SLOTS : 1,
    ),
    erasing: createStore<ChosenImage | null, Chosen>(
      (_, chosen) => ({ ...chosen, id: crypto.randomUUID() }),
      null,
    ),
    limits,
    askService: async () => {
      if (build.browserOnly) return;
      try {
        await requireReady();
      } catch (error) {
        if (error instanceof ProcessError) status.dispatch({ type: 'failed', error });
      }
    },
  };
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

export function useSettings(): [Settings, (changes: Partial<Settings>) => void] {
  const { settings } = useServices();
  return [useStore(settings), (changes) => settings.dispatch({ type: 'set', changes })];
}
