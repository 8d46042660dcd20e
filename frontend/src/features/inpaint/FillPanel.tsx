import { Select, Slider, Switch, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { DEFAULT_INPAINT_MODEL } from '../../api/constants';
import { useSettings } from '../../state/services';
import { useModels } from '../../state/hooks';
import { upscalingSettings } from '../../state/upscaling';
import { inpaintSettings } from './settings';

/** The service takes more. For what is painted by hand, this is enough. */
const MAX_MARGIN_PX = 64;

interface Props {
  model: string | null;
  onModel: (model: string | null) => void;
  isUpscaling: boolean;
  onUpscaling: (isOn: boolean) => void;
}

/** Chooses how the painted area is filled. */
export function FillPanel({ model, onModel, isUpscaling, onUpscaling }: Props) {
  const { t } = useTranslation();
  const [{ maskGrowPx, maskFeatherPx }, change] = useSettings(inpaintSettings);
  const [{ factor }] = useSettings(upscalingSettings);
  const others = useModels('inpaint')
    .filter(({ id }) => id !== DEFAULT_INPAINT_MODEL)
    .map(({ id, title }) => ({ value: id, label: title || id }));
  return (
    <>
      {others.length > 0 && (
        <Select
          label={t('inpaint.model')}
          data={[{ value: DEFAULT_INPAINT_MODEL, label: t('inpaint.builtIn') }, ...others]}
          value={model ?? DEFAULT_INPAINT_MODEL}
          allowDeselect={false}
          onChange={(value) => onModel(value === DEFAULT_INPAINT_MODEL ? null : value)}
        />
      )}
      <LabelledSlider
        label={t('inpaint.margin')}
        hint={t('inpaint.marginHint')}
        most={MAX_MARGIN_PX}
        value={maskGrowPx}
        onChange={(value) => change({ maskGrowPx: value })}
      />
      <LabelledSlider
        label={t('inpaint.feather')}
        most={maskGrowPx}
        value={maskFeatherPx}
        onChange={(value) => change({ maskFeatherPx: value })}
      />
      <Switch
        label={t('inpaint.thenUpscale', { factor })}
        checked={isUpscaling}
        onChange={(event) => onUpscaling(event.currentTarget.checked)}
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
        {label} <span className="pm-quiet pm-number">{t('inpaint.sizePx', { size: value })}</span>
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
