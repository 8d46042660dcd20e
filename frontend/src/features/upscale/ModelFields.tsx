import { Select, Slider, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useSettings } from '../../state/services';
import { useInfo, useModels } from '../../state/hooks';
import { upscalingSettings } from '../../state/upscaling';
import { DENOISE } from '../../api/constants';

export function ModelFields() {
  const { t } = useTranslation();
  const [settings, change] = useSettings(upscalingSettings);
  const models = useModels('upscale');
  const standard = useInfo().data?.default_model ?? models[0]?.id;
  const chosen = settings.model ?? standard ?? null;
  const isKnown = models.some((model) => model.id === chosen);
  const data = models.map(({ id, scale }) => ({
    value: id,
    label: scale ? `${id} (×${scale})` : id,
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
      {models.some((model) => model.id === chosen && model.denoise) && (
        <div>
          <Text size="sm" fw={500} mb={4}>
            {t('options.denoise')}
          </Text>
          <Slider
            aria-label={t('options.denoise')}
            thumbLabel={t('options.denoise')}
            min={DENOISE.min}
            max={DENOISE.max}
            step={0.05}
            value={settings.denoise}
            onChange={(denoise) => change({ denoise })}
            label={(value) => `${Math.round(value * 100)} %`}
          />
        </div>
      )}
    </Stack>
  );
}
