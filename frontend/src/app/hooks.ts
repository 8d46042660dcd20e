import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { DEFAULT_LIMITS, type InputLimits } from '../files/check';
import { modeOf, type Mode } from '../state/status';
import { useServices, useSettings, useStore } from './services';

export type Tab = 'upscale' | 'erase' | 'system';
export const TABS: readonly Tab[] = ['upscale', 'erase', 'system'];

const ASK_PERIOD_MS = 10_000;

/** The tab is the address's fragment, so that it survives a reload and the back button works. */
export function useTab(): [Tab, (tab: Tab) => void] {
  const tab = useSyncExternalStore(subscribeHash, readHash);
  return [tab, goTo];
}

export function goTo(tab: Tab): void {
  window.location.hash = tab;
}

function subscribeHash(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

function readHash(): Tab {
  const named = window.location.hash.slice(1);
  return TABS.find((tab) => tab === named) ?? 'upscale';
}

/** Keeps asking the service how it is. */
export function useServiceWatch(): void {
  const { askService, status } = useServices();
  const [settings] = useSettings();
  const isAsked = settings.preference !== 'browser';
  const cache = useQueryClient();
  const { state } = useStore(status);
  useQuery({
    queryKey: ['readiness', settings.apiKey],
    queryFn: () => askService().then(() => null),
    refetchInterval: ASK_PERIOD_MS,
    enabled: isAsked,
  });
  // What was known of the service is old once it went or came back.
  useEffect(() => {
    if (state === 'ready' || state === 'unreachable') void cache.invalidateQueries({ queryKey: ['service'] });
  }, [state, cache]);
}

export function useMode(): Mode {
  const { browser, status, build } = useServices();
  const [settings] = useSettings();
  const found = useQuery({ queryKey: ['browser'], queryFn: () => browser.capabilities() });
  const now = useStore(status);
  return modeOf(build.browserOnly ? 'browser' : settings.preference, now, found.data);
}

export function useCapabilities() {
  const { processor } = useServices();
  const [{ preference, apiKey }] = useSettings();
  return useQuery({
    queryKey: ['service', 'capabilities', preference, apiKey],
    queryFn: () => processor.capabilities(),
  });
}

export function useInfo() {
  const { api, build } = useServices();
  const [{ preference }] = useSettings();
  return useQuery({
    queryKey: ['service', 'info'],
    queryFn: api.info,
    enabled: !build.browserOnly && preference !== 'browser',
    staleTime: 60_000,
  });
}

export function useLimits(): InputLimits {
  return useInfo().data?.limits ?? DEFAULT_LIMITS;
}
