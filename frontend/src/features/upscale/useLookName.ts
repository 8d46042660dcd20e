import { useTranslation } from 'react-i18next';
import { DIALS } from '../../processing/options';
import { useModelName } from '../../ui/useModelName';
import type { Look } from './looks';

/** What a look is called, in people's words. */
export function useLookName(): (look: Look) => string {
  const { t } = useTranslation();
  const nameOf = useModelName();
  return ({ kind, model, dials }) => {
    if (kind === 'model') return nameOf(model);
    if (kind === 'between') return t('trial.between');
    const parts = DIALS.filter((dial) => dials[dial] !== null).map(
      (dial) => `${t(`options.${dial}`)} ${Math.round((dials[dial] ?? 0) * 100)} %`,
    );
    return t('trial.set', { dials: parts.join(', ') });
  };
}
