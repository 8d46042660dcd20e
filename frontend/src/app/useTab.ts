import { useSyncExternalStore } from 'react';
import type { Feature } from '../state/feature';
import { featureOf } from './features';

/** The section that is shown. It is the fragment of the address, so that it survives a reload and going back works. */
export function useTab(): Feature {
  return featureOf(useSyncExternalStore(subscribeHash, readHash));
}

export function goTo(feature: Feature): void {
  window.location.hash = feature.fragment;
}

function subscribeHash(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

function readHash(): string {
  return window.location.hash.slice(1);
}
