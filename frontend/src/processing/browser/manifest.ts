/** The networks that the export in training/ wrote. This module is small, since it is part of the first load. */

import { DEFAULT_INPAINT_MODEL } from '../../api/constants';
import { invalidParameter, ProcessError } from '../../lib/errors';
import { DIAL_BOUNDS, DIALS, type Dial, type Upscaling } from '../options';
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
  /** The network whose weights `detail` mixes in after that. */
  detailPartner: string | null;
  /** A network of the same kind for twice the size. */
  twice: string | null;
  /** Byte offset and count of each run of float16 weights in the file; null if there are no partners. */
  halves: number[][] | null;
}

export const NETWORKS: readonly NetworkEntry[] = manifest.models;

export const MODELS: readonly ProcessorModel[] = [
  ...NETWORKS.map((network): ProcessorModel => ({
    id: network.id,
    title: network.title,
    task: 'upscale',
    scale: network.scale,
    dials: DIALS.filter((dial) => partnerOf(network, dial) !== null),
  })),
  {
    id: DEFAULT_INPAINT_MODEL,
    title: 'Pixelmend fill: continues what surrounds the hole',
    task: 'inpaint',
    scale: null,
    dials: [],
  },
];

/** The weights of a network, and what is mixed into them, one after the other. */
export interface ChosenNetwork {
  entry: NetworkEntry;
  mixedIn: readonly MixedIn[];
  /** As `NetworkEntry.halves`, for all files of the mixture, which have one layout. */
  halves: NetworkEntry['halves'];
}

/** `share`, between 0 and 1: how much of the mixture this network is. */
export interface MixedIn {
  entry: NetworkEntry;
  share: number;
}

/** Chooses as models/catalog.py does for the service. Raises ProcessError: `model-unavailable`, `refused`. */
export function choose(wanted: Upscaling, networks: readonly NetworkEntry[] = NETWORKS): ChosenNetwork {
  const own = find(wanted.model ?? unnamed(wanted, networks), networks);
  let chosen: ChosenNetwork = { entry: own, mixedIn: [], halves: own.halves };
  for (const dial of DIALS) {
    const value = wanted[dial];
    if (value === null) continue;
    const partner = partnerOf(own, dial);
    if (partner === null || !(value >= DIAL_BOUNDS[dial].min && value <= DIAL_BOUNDS[dial].max)) {
      throw invalidParameter(`${dial}=${value} is not offered by model ${own.id}`);
    }
    const share = dial === 'denoise' && own.ownDenoise === 1 ? 1 - value : value;
    chosen = withPartner(chosen, find(partner, networks), share);
  }
  return chosen;
}

/** At its ends a mixture is one of the two, of which alone the file is needed. */
function withPartner(chosen: ChosenNetwork, entry: NetworkEntry, share: number): ChosenNetwork {
  if (share === 0) return chosen;
  if (share === 1) return { ...chosen, entry, mixedIn: [] };
  return { ...chosen, mixedIn: [...chosen.mixedIn, { entry, share }] };
}

function partnerOf(entry: NetworkEntry, dial: Dial): string | null {
  return dial === 'denoise' ? entry.denoisePartner : entry.detailPartner;
}

/** The first, or its sibling for at most twice the size, which computes no pixels that would be thrown away. */
function unnamed(wanted: Upscaling, networks: readonly NetworkEntry[]): string {
  const first = networks[0];
  if (first === undefined) throw new ProcessError('model-unavailable', 'this build has no network');
  const { target, denoise, detail } = wanted;
  const isSmall = target.kind === 'scale' && target.factor <= 2;
  return isSmall && denoise === null && detail === null && first.twice !== null ? first.twice : first.id;
}

function find(id: string, networks: readonly NetworkEntry[]): NetworkEntry {
  const entry = networks.find((network) => network.id === id);
  if (entry !== undefined) return entry;
  throw new ProcessError('model-unavailable', `this browser has no model ${id}`, { values: { model: id } });
}
