import { useQuery } from '@tanstack/react-query';
import { DEFAULT_LIMITS, type TaskId } from '../api/constants';
import type { InputLimits } from '../files/check';
import type { FilmLimits } from '../files/film';
import type { Dial } from '../processing/options';
import type { ProcessorModel } from '../processing/processor';
import { useGeneralSettings, useServices, useStore } from './services';
import { modeOf, type Mode } from './status';
import { dialsOf } from './upscaling';

export function useMode(): Mode {
  const { browser, status, build } = useServices();
  const [{ preference }] = useGeneralSettings();
  const found = useQuery({ queryKey: ['browser'], queryFn: () => browser.capabilities() });
  const now = useStore(status);
  return modeOf(build.browserOnly ? 'browser' : preference, now, found.data);
}

export function useCapabilities() {
  const { processor } = useServices();
  const [{ preference, apiKey }] = useGeneralSettings();
  return useQuery({
    queryKey: ['service', 'capabilities', preference, apiKey],
    queryFn: () => processor.capabilities(),
  });
}

/** The models that can do a task now. */
export function useModels(task: TaskId): readonly ProcessorModel[] {
  return (useCapabilities().data?.models ?? []).filter((model) => model.task === task);
}

/** The id of the model that upscales if none is named; null if there is none. */
export function useStandardModel(): string | null {
  const models = useModels('upscale');
  return useInfo().data?.default_model ?? models[0]?.id ?? null;
}

/** The dials of an upscaling model; null for the standard one. */
export function useDials(model: string | null): readonly Dial[] {
  const models = useModels('upscale');
  return dialsOf(model, models, useStandardModel());
}

export function useInfo() {
  const { api, build } = useServices();
  const [{ preference }] = useGeneralSettings();
  return useQuery({
    queryKey: ['service', 'info'],
    queryFn: api.info,
    enabled: !build.browserOnly && preference !== 'browser',
    staleTime: 60_000,
  });
}

export function useLimits(): InputLimits & FilmLimits {
  return useInfo().data?.limits ?? DEFAULT_LIMITS;
}
