import { Slider, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { DENOISE, DETAIL } from '../api/constants';
import type { Dial } from '../processing/options';

const BOUNDS = { denoise: DENOISE, detail: DETAIL } as const;

interface Props {
  /** Those that the model has. */
  dials: readonly Dial[];
  values: Record<Dial, number>;
  onChange: (change: Partial<Record<Dial, number>>) => void;
}

/** How far noise is removed and detail drawn. */
export function DialFields({ dials, values, onChange }: Props) {
  const { t } = useTranslation();
  return dials.map((dial) => (
    <div key={dial}>
      <Text size="sm" fw={500} mb={4}>
        {t(`options.${dial}`)}
      </Text>
      <Slider
        aria-label={t(`options.${dial}`)}
        thumbLabel={t(`options.${dial}`)}
        min={BOUNDS[dial].min}
        max={BOUNDS[dial].max}
        step={0.05}
        value={values[dial]}
        onChange={(value) => onChange({ [dial]: value })}
        label={(value) => `${Math.round(value * 100)} %`}
      />
    </div>
  ));
}
