import { Collapse, Select, Slider, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  FILM_CODECS,
  FILM_CONTAINERS,
  FILM_DEINTERLACE,
  FILM_ENCODERS,
  FILM_QUALITY,
  type FilmCodec,
  type FilmContainer,
} from '../../api/constants';
import { fits, isLossless } from '../../processing/films';
import { useSettings } from '../../state/services';
import classes from './Films.module.css';
import { filmSettings } from './settings';

/** Stands for a choice that is left to the service: a list has no value null. */
const OWN = '';

/** Container and quality; what few people need is folded away. */
export function FormatFields() {
  const { t } = useTranslation();
  const [settings, change] = useSettings(filmSettings);
  const [isOpen, setOpen] = useState(false);
  const { filmContainer, filmCodec, filmQuality, filmEncoder, filmDeinterlace } = settings;
  const quality = filmQuality ?? FILM_QUALITY.default;
  const lossless = isLossless(filmCodec);
  const containers = Object.entries(FILM_CONTAINERS).map(([value, { title }]) => ({ value, label: title }));
  const codecs = Object.entries(FILM_CODECS)
    .filter(([value]) => fits(value as FilmCodec, filmContainer))
    .map(([value, { title }]) => ({ value, label: title }));
  return (
    <Stack gap={10}>
      <Select
        label={t('films.container')}
        data={[{ value: OWN, label: t('films.own') }, ...containers]}
        value={filmContainer ?? OWN}
        allowDeselect={false}
        onChange={(value) => change({ filmContainer: (value || null) as FilmContainer | null })}
      />
      <div>
        <Text size="sm" fw={500} mb={4}>
          {t('options.quality')}{' '}
          <span className="pm-quiet pm-number">
            {lossless ? t('options.lossless') : filmQuality === null ? t('options.standard') : quality}
          </span>
        </Text>
        <Slider
          thumbLabel={t('options.quality')}
          disabled={lossless}
          min={FILM_QUALITY.min}
          max={FILM_QUALITY.max}
          value={quality}
          onChange={(value) => change({ filmQuality: value })}
        />
      </div>
      <UnstyledButton className={classes.fold} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <IconChevronDown size={16} stroke={1.75} aria-hidden data-open={isOpen || undefined} />
        {t('films.advanced')}
      </UnstyledButton>
      <Collapse expanded={isOpen}>
        <Stack gap={10}>
          <Select
            label={t('films.codec')}
            data={[{ value: OWN, label: t('films.own') }, ...codecs]}
            value={filmCodec ?? OWN}
            allowDeselect={false}
            onChange={(value) => change({ filmCodec: (value || null) as FilmCodec | null })}
          />
          <Select
            label={t('films.encoder')}
            data={FILM_ENCODERS.map((value) => ({ value, label: t(`films.encoders.${value}`) }))}
            value={filmEncoder}
            allowDeselect={false}
            onChange={(value) => value && change({ filmEncoder: value })}
          />
          <Select
            label={t('films.deinterlace')}
            data={FILM_DEINTERLACE.map((value) => ({ value, label: t(`films.deinterlacing.${value}`) }))}
            value={filmDeinterlace}
            allowDeselect={false}
            onChange={(value) => value && change({ filmDeinterlace: value })}
          />
        </Stack>
      </Collapse>
    </Stack>
  );
}
