import { Select, Slider, Switch, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useCapabilities } from '../../app/hooks';
import { useSettings } from '../../app/services';

export const BUILT_IN_FILL = 'pixelmend-fill';

interface Props {
  model: string | null;
  onModel: (model: string | null) => void;
  isEnlarging: boolean;
  onEnlarging: (isOn: boolean) => void;
}

/** How what is painted is filled. */
export function FillPanel({ model, onModel, isEnlarging, onEnlarging }: Props) {
  const { t } = useTranslation();
  const [{ maskGrowPx, maskFeatherPx, factor }, change] = useSettings();
  const models = (useCapabilities().data?.models ?? []).filter(({ task }) => task === 'inpaint');
  const others = models
    .filter(({ id }) => id !== BUILT_IN_FILL)
    .map(({ id, title }) => ({ value: id, label: title || id }));
  return (
    <>
      {others.length > 0 && (
        <Select
          label={t('erase.model')}
          data={[{ value: BUILT_IN_FILL, label: t('erase.builtIn') }, ...others]}
          value={model ?? BUILT_IN_FILL}
          allowDeselect={false}
          onChange={(value) => onModel(value === BUILT_IN_FILL ? null : value)}
        />
      )}
      <LabelledSlider
        label={t('erase.margin')}
        hint={t('erase.marginHint')}
        most={64}
        value={maskGrowPx}
        onChange={(value) => change({ maskGrowPx: value })}
      />
      <LabelledSlider
        label={t('erase.feather')}
        most={maskGrowPx}
        value={maskFeatherPx}
        onChange={(value) => change({ maskFeatherPx: value })}
      />
      <Switch
        label={t('erase.thenEnlarge', { factor })}
        checked={isEnlarging}
        onChange={(event) => onEnlarging(event.currentTarget.checked)}
      />
    </>
  );
}

interface SliderProps {
  label: string;
  hint?: string;
  most: number;
  value: number;
  onChange: (value: number) => void;
}

function LabelledSlider({ label, hint, most, value, onChange }: SliderProps) {
  const { t } = useTranslation();
  return (
    <div title={hint}>
      <Text size="sm" fw={500} mb={4}>
        {label} <span className="pm-quiet pm-number">{t('erase.sizePx', { size: value })}</span>
      </Text>
      <Slider
        thumbLabel={label}
        min={0}
        max={Math.max(1, most)}
        disabled={most === 0}
        value={value}
        onChange={onChange}
        label={null}
      />
    </div>
  );
}
