import { Select, Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useSettings } from '../../state/services';
import { useDials, useModels, useStandardModel } from '../../state/hooks';
import { upscalingSettings } from '../../state/upscaling';
import { DialFields } from '../../ui/DialFields';
import { useModelName } from '../../ui/useModelName';

export function ModelFields() {
  const { t } = useTranslation();
  const [settings, change] = useSettings(upscalingSettings);
  const models = useModels('upscale');
  const dials = useDials(settings.model);
  const nameOf = useModelName();
  const standard = useStandardModel();
  const chosen = settings.model ?? standard;
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
      <DialFields dials={dials} values={settings} onChange={(dial, value) => change({ [dial]: value })} />
    </Stack>
  );
}
