import { Select, Slider, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useSettings } from '../../state/services';
import { useCapabilities } from '../../state/hooks';
import { upscalingSettings } from '../../state/upscaling';
import { isLossy } from '../../processing/fields';
import { OUTPUT_FORMATS, QUALITY } from '../../api/constants';

export function FormatFields() {
  const { t } = useTranslation();
  const [{ format, quality }, change] = useSettings(upscalingSettings);
  const offered = useCapabilities().data?.formats ?? [];
  const formats = offered.length > 0 ? offered : (['png', 'jpeg', 'webp'] as const);
  const shown = quality ?? OUTPUT_FORMATS[format].defaultQuality ?? QUALITY.max;
  return (
    <Stack gap={10}>
      <Select
        label={t('options.format')}
        data={[...new Set([...formats, format])].map((value) => ({
          value,
          label: OUTPUT_FORMATS[value].title,
        }))}
        value={format}
        allowDeselect={false}
        onChange={(value) => value && change({ format: value, quality: null })}
      />
      {/* It stays for formats without a quality, so that nothing moves. */}
      <div>
        <Text size="sm" fw={500} mb={4}>
          {t('options.quality')}{' '}
          <span className="pm-quiet pm-number">
            {!isLossy(format)
              ? t('options.lossless')
              : quality === null
                ? `${shown} (${t('options.standard')})`
                : shown}
          </span>
        </Text>
        <Slider
          thumbLabel={t('options.quality')}
          disabled={!isLossy(format)}
          min={QUALITY.min}
          max={QUALITY.max}
          value={shown}
          onChange={(value) => change({ quality: value })}
        />
      </div>
    </Stack>
  );
}
