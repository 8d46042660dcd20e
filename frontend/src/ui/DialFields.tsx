import { Slider, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { DIAL_BOUNDS, type Dial } from '../processing/options';

interface Props {
  /** Those that the model has. */
  dials: readonly Dial[];
  values: Record<Dial, number>;
  onChange: (dial: Dial, value: number) => void;
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
        min={DIAL_BOUNDS[dial].min}
        max={DIAL_BOUNDS[dial].max}
        step={0.05}
        value={values[dial]}
        onChange={(value) => onChange(dial, value)}
        label={(value) => `${Math.round(value * 100)} %`}
      />
    </div>
  ));
}
