/** Builds what the app consists of. */

import { Api } from '../api/client';
import { DEFAULT_LIMITS } from '../api/constants';
import { checkFile } from '../files/check';
import { browserDecoder } from '../files/decoder';
import { browserFilmReader } from '../files/film';
import { ProcessError } from '../lib/errors';
import { createStore, type Store } from '../lib/store';
import { createAutomaticProcessor } from '../processing/automatic';
import { createBrowserProcessor } from '../processing/browser';
import { createRemoteProcessor } from '../processing/remote';
import { startChecker } from '../state/checker';
import { reduceChosen } from '../state/chosen';
import type { TaskFeature } from '../state/feature';
import { createFilmRunner } from '../state/filmRunner';
import { NO_FILMS, reduceFilms } from '../state/films';
import { EMPTY_QUEUE, reduceQueue } from '../state/queue';
import { startRunner } from '../state/runner';
import type { BuildOptions, Services } from '../state/services';
import {
  generalSettings,
  readSettings,
  type Settings,
  type SettingsAction,
  settingsPart,
  settingsReducer,
  valuesOf,
} from '../state/settings';
import { reduceStatus } from '../state/status';
import { prefetchWhenIdle } from './prefetch';
import { goTo } from './useTab';

const SETTINGS_KEY = 'pixelmend-settings';
/** The service orders jobs itself; more at a time would only fill its queue. */
const SERVER_SLOTS = 2;

export function createServices(
  build: BuildOptions,
  features: readonly TaskFeature[],
  storage: Storage | null,
): Services {
  const settings = createSettings(features, storage);
  const general = () => valuesOf(settings.get(), generalSettings);
  const preference = () => (build.browserOnly ? 'browser' : general().preference);
  const status = createStore(reduceStatus, { state: 'unknown' });
  const queue = createStore(reduceQueue, EMPTY_QUEUE);
  const api = new Api({ baseUrl: build.apiUrl, apiKey: () => general().apiKey });
  const requireReady = async () => {
    const { ready, reasons } = await api.readiness();
    if (!ready) throw new ProcessError('not-ready', reasons.join('; '), { retryable: true });
    status.dispatch({ type: 'ready' });
  };
  const tasks = features.flatMap(({ task }) => (task === null ? [] : [task]));
  const browser = createBrowserProcessor();
  const processor = createAutomaticProcessor({
    remote: createRemoteProcessor(api, tasks),
    browser,
    tasks,
    preference,
    requireReady,
    onService: (error) => status.dispatch(error === null ? { type: 'ready' } : { type: 'failed', error }),
  });
  const limits = async () => {
    if (preference() === 'browser') return DEFAULT_LIMITS;
    return api.info().then(
      (info) => info.limits,
      () => DEFAULT_LIMITS,
    );
  };
  startChecker(queue, async (item) => checkFile(item.file, await limits(), item.firstFrame, browserDecoder));
  const onKept = () => (document.documentElement.dataset.engine = 'kept');
  prefetchWhenIdle(status, browser, () => preference() === 'auto', onKept);
  const slots = () => (preference() !== 'browser' && status.get().state === 'ready' ? SERVER_SLOTS : 1);
  const films = createStore(reduceFilms, NO_FILMS);
  const services: Services = {
    build,
    api,
    tasks,
    settings,
    queue,
    chosen: createStore(reduceChosen, {}),
    status,
    browser,
    processor,
    runner: startRunner(queue, processor, slots),
    films,
    filmRunner: createFilmRunner({ api, films, limits, reader: browserFilmReader }),
    limits,
    askService: async () => {
      if (build.browserOnly) return;
      try {
        await requireReady();
      } catch (error) {
        if (error instanceof ProcessError) status.dispatch({ type: 'failed', error });
      }
    },
    openIn: (task, files) => {
      const feature = features.find(({ id }) => id === task);
      if (!feature) return;
      feature.take(services, files);
      goTo(feature);
    },
  };
  return services;
}

function createSettings(
  features: readonly TaskFeature[],
  storage: Storage | null,
): Store<Settings, SettingsAction> {
  const parts = [...new Set([settingsPart(generalSettings), ...features.flatMap((one) => one.settings)])];
  const settings = createStore(
    settingsReducer(parts),
    readSettings(parts, storage?.getItem(SETTINGS_KEY) ?? null),
  );
  settings.subscribe(() => {
    try {
      storage?.setItem(SETTINGS_KEY, JSON.stringify(settings.get()));
    } catch {
      // The storage is full or forbidden, so the settings last as long as the page.
    }
  });
  return settings;
}
