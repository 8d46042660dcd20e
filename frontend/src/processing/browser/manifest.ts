/** The networks that the export in training/ wrote. This module is small, since it is part of the first load. */

import { DEFAULT_INPAINT_MODEL, DENOISE } from '../../api/constants';
import { invalidParameter, ProcessError } from '../../lib/errors';
import type { Upscaling } from '../options';
import type { ProcessorModel } from '../processor';
import manifest from './models/manifest.json';

export interface NetworkEntry {
  id: string;
  title: string;
  scale: number;
  file: string;
  bytes: number;
  sha256: string;
  receptiveFieldPx: number;
  /** The network whose weights `denoise` mixes in. */
  denoisePartner: string | null;
  /** The strength, 0 or 1, at which the network's own weights stand alone. */
  ownDenoise: number;
  /** A network of the same kind for twice the size. */
  twice: string | null;
  /** Byte offset and count of each run of float16 weights in the file; null if there is no partner. */
  halves: number[][] | null;
}

export const NETWORKS: readonly NetworkEntry[] = manifest.models;

export const MODELS: readonly ProcessorModel[] = [
  ...NETWORKS.map(({ id, title, scale, denoisePartner }): ProcessorModel => ({
    id,
    title,
    task: 'upscale',
    scale,
    denoise: denoisePartner !== null,
  })),
  {
    id: DEFAULT_INPAINT_MODEL,
    title: 'Pixelmend fill: continues what surrounds the hole',
    task: 'inpaint',
    scale: null,
    denoise: false,
  },
];

/** Weights of one network, or of two: `share` of the first and the rest of the second. */
export interface ChosenNetwork {
  entry: NetworkEntry;
  partner: NetworkEntry | null;
  share: number;
}

/** Chooses as models/catalog.py does for the service. Raises ProcessError: `model-unavailable`, `refused`. */
export function choose(wanted: Upscaling, networks: readonly NetworkEntry[] = NETWORKS): ChosenNetwork {
  const entry = find(wanted.model ?? unnamed(wanted, networks), networks);
  const { denoise } = wanted;
  if (denoise === null) return { entry, partner: null, share: 1 };
  if (entry.denoisePartner === null || !(denoise >= DENOISE.min && denoise <= DENOISE.max)) {
    throw invalidParameter(`denoise=${denoise} is not offered by model ${entry.id}`);
  }
  const partner = find(entry.denoisePartner, networks);
  const share = entry.ownDenoise === 1 ? denoise : 1 - denoise;
  if (share === 0) return { entry: partner, partner: null, share: 1 };
  return { entry, partner: share === 1 ? null : partner, share };
}

/** The first, or its sibling for at most twice the size, which computes no pixels that would be thrown away. */
function unnamed(wanted: Upscaling, networks: readonly NetworkEntry[]): string {
  const first = networks[0];
  if (first === undefined) throw new ProcessError('model-unavailable', 'this build has no network');
  const { target, denoise } = wanted;
  const isSmall = target.kind === 'scale' && target.factor <= 2;
  return isSmall && denoise === null && first.twice !== null ? first.twice : first.id;
}

function find(id: string, networks: readonly NetworkEntry[]): NetworkEntry {
  const entry = networks.find((network) => network.id === id);
  if (entry !== undefined) return entry;
  throw new ProcessError('model-unavailable', `this browser has no model ${id}`, { values: { model: id } });
}
