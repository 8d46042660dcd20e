import { Select, Slider, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useCapabilities } from '../../app/hooks';
import { useSettings } from '../../app/services';
import { isLossy } from '../../processing/form';
import type { OutputFormat } from '../../processing/processor';

const NAMES: Record<OutputFormat, string> = {
  png: 'PNG',
  jpeg: 'JPEG',
  webp: 'WebP',
  avif: 'AVIF',
  tiff: 'TIFF',
};
/** What applies where none is chosen; the encoders' own. */
const STANDARD_QUALITY: Partial<Record<OutputFormat, number>> = { jpeg: 92, webp: 88, avif: 65 };

export function FormatFields() {
  const { t } = useTranslation();
  const [{ format, quality }, change] = useSettings();
  const offered = useCapabilities().data?.formats ?? [];
  const formats = offered.length > 0 ? offered : (['png', 'jpeg', 'webp'] as const);
  const shown = quality ?? STANDARD_QUALITY[format] ?? 100;
  return (
    <Stack gap={10}>
      <Select
        label={t('options.format')}
        data={[...new Set([...formats, format])].map((value) => ({ value, label: NAMES[value] }))}
        value={format}
        allowDeselect={false}
        onChange={(value) => value && change({ format: value, quality: null })}
      />
      {/* Kept in its place for formats without it, so that nothing moves. */}
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
          min={1}
          max={100}
          value={shown}
          onChange={(value) => change({ quality: value })}
        />
      </div>
    </Stack>
  );
}
