import { Group, NumberInput, SegmentedControl, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { SCALE } from '../api/constants';
import type { Size } from '../imaging/geometry';

const FACTORS = ['2', '3', '4', '8'];

export interface Sizing {
  sizing: 'scale' | 'size';
  factor: number;
  widthPx: number | null;
  heightPx: number | null;
}

interface Props {
  sizing: Sizing;
  onChange: (changes: Partial<Sizing>) => void;
  /** The size of the result; null while it is not known. */
  result: Size | null;
}

/** By a factor, or to exact pixels. */
export function SizeFields({
  sizing: { sizing, factor, widthPx, heightPx },
  onChange: change,
  result,
}: Props) {
  const { t } = useTranslation();
  return (
    <Stack gap={8}>
      <SegmentedControl
        fullWidth
        aria-label={t('options.sizing')}
        value={sizing}
        onChange={(value) => change({ sizing: value })}
        data={[
          { value: 'scale', label: t('options.byScale') },
          { value: 'size', label: t('options.bySize') },
        ]}
      />
      {sizing === 'scale' ? (
        <Group gap={8} wrap="nowrap" align="center" h={64}>
          <SegmentedControl
            style={{ flex: 1 }}
            aria-label={t('options.factor')}
            value={FACTORS.includes(String(factor)) ? String(factor) : ''}
            onChange={(value) => change({ factor: Number(value) })}
            data={FACTORS.map((value) => ({ value, label: `${value}×` }))}
          />
          <NumberInput
            w={64}
            aria-label={t('options.factor')}
            value={factor}
            min={SCALE.min}
            max={SCALE.max}
            step={0.5}
            decimalScale={2}
            hideControls
            onChange={(value) =>
              typeof value === 'number' &&
              value >= SCALE.min &&
              value <= SCALE.max &&
              change({ factor: value })
            }
          />
        </Group>
      ) : (
        <Group gap={8} grow h={64} align="start">
          <NumberInput
            label={t('options.width')}
            suffix=" px"
            value={widthPx ?? ''}
            min={1}
            allowDecimal={false}
            onChange={(value) => change({ widthPx: numberOrNull(value) })}
          />
          <NumberInput
            label={t('options.height')}
            suffix=" px"
            value={heightPx ?? ''}
            min={1}
            allowDecimal={false}
            onChange={(value) => change({ heightPx: numberOrNull(value) })}
          />
        </Group>
      )}
      <Text size="sm" className="pm-quiet pm-number" mih={22} data-testid="becomes">
        {result
          ? t('options.becomes', { width: result.widthPx, height: result.heightPx })
          : sizing === 'size'
            ? t('options.sizeHint')
            : ''}
      </Text>
    </Stack>
  );
}

function numberOrNull(value: string | number): number | null {
  return typeof value === 'number' && value >= 1 ? Math.round(value) : null;
}
