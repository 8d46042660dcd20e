import { DIALS, type Dial, type Dials } from '../../processing/options';
import type { ProcessorModel } from '../../processing/processor';
import { turned } from '../../state/upscaling';

/** What a trial shows, and the settings can take over: a model, and where its dials are. */
export interface Look {
  id: string;
  /** `model`: dials at 0. `between`: where phone pictures look best. `set`: where the dials are now. */
  kind: 'model' | 'between' | 'set';
  model: string;
  dials: Dials;
}

const AT_ZERO: Record<Dial, number> = { denoise: 0, detail: 0 };
/** For pictures that a phone or an old web page has spoilt: docs/adr/0027-default-upscaler.md. */
const BETWEEN: Record<Dial, number> = { denoise: 1, detail: 0.5 };

/**
 * Each model, and after the one that is set the mixtures that its dials make.
 * `set`: the model that is set, or the standard one; null if there is none. `values`: where the dials are.
 */
export function looksOf(
  models: readonly ProcessorModel[],
  set: string | null,
  values: Record<Dial, number>,
): readonly Look[] {
  return models.flatMap((model) => {
    const look = (kind: Look['kind'], at: Record<Dial, number>): Look => ({
      id: `${model.id} ${kind}`,
      kind,
      model: model.id,
      dials: turned(at, model.dials, model.id),
    });
    const looks = [look('model', AT_ZERO)];
    if (model.id !== set) return looks;
    if (DIALS.every((dial) => model.dials.includes(dial))) looks.push(look('between', BETWEEN));
    const now = look('set', values);
    return looks.some((one) => isSame(one.dials, now.dials)) ? looks : [...looks, now];
  });
}

function isSame(one: Dials, other: Dials): boolean {
  return DIALS.every((dial) => one[dial] === other[dial]);
}
