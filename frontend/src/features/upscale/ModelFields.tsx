import { Select, Slider, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useSettings } from '../../state/services';
import { useDials, useInfo, useModels } from '../../state/hooks';
import { upscalingSettings } from '../../state/upscaling';
import { DENOISE, DETAIL } from '../../api/constants';
import type { Dial } from '../../processing/options';
import { useModelName } from '../../ui/useModelName';

const BOUNDS = { denoise: DENOISE, detail: DETAIL } as const;

export function ModelFields() {
  const { t } = useTranslation();
  const [settings, change] = useSettings(upscalingSettings);
  const models = useModels('upscale');
  const dials = useDials();
  const nameOf = useModelName();
  const standard = useInfo().data?.default_model ?? models[0]?.id;
  const chosen = settings.model ?? standard ?? null;
  const isKnown = models.some((model) => model.id === chosen);
  const data = models.map(({ id, scale }) => ({
    value: id,
    label: scale ? `${nameOf(id)} (×${scale})` : nameOf(id),
  }));
  return (
    <Stack gap={10}>
      <Select
        label={t('options.model')}
        data={isKnown || chosen === null ? data : [...data, { value: chosen, label: chosen }]}
        value={chosen}
        allowDeselect={false}
        disabled={data.length === 0}
        onChange={(value) => change({ model: value === standard ? null : value })}
        inputWrapperOrder={['label', 'input', 'description']}
        description={models.find((model) => model.id === chosen)?.title ?? '\u00a0'}
      />
      {dials.map((dial) => (
        <DialSlider key={dial} dial={dial} value={settings[dial]} onChange={change} />
      ))}
    </Stack>
  );
}

interface DialProps {
  dial: Dial;
  value: number;
  onChange: (change: Partial<Record<Dial, number>>) => void;
}

function DialSlider({ dial, value, onChange }: DialProps) {
  const { t } = useTranslation();
  return (
    <div>
      <Text size="sm" fw={500} mb={4}>
        {t(`options.${dial}`)}
      </Text>
      <Slider
        aria-label={t(`options.${dial}`)}
        thumbLabel={t(`options.${dial}`)}
        min={BOUNDS[dial].min}
        max={BOUNDS[dial].max}
        step={0.05}
        value={value}
        onChange={(turned) => onChange({ [dial]: turned })}
        label={(shown) => `${Math.round(shown * 100)} %`}
      />
    </div>
  );
}
