import { Button, Slider, Text } from '@mantine/core';
import {
  IconCircleMinus,
  IconCirclePlus,
  IconContrast,
  IconEraserOff,
  IconFileExport,
  IconFileImport,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useSettings } from '../../state/services';
import { inpaintSettings } from './settings';
import type { MaskEditor } from './mask/editor';
import { clear, grow, invert, shrink } from './mask/mask';
import classes from './Inpaint.module.css';
import { fromShare, toShare } from './brush';

interface Props {
  editor: MaskEditor;
  onImport: () => void;
  onExport: () => void;
}

/** The size of the brush, and operations on the whole mask. */
export function MaskPanel({ editor, onImport, onExport }: Props) {
  const { t } = useTranslation();
  const [{ brushPx }, change] = useSettings(inpaintSettings);
  // The step is visible in an image of any size.
  const stepPx = Math.max(1, Math.round(Math.max(editor.mask.widthPx, editor.mask.heightPx) / 400));
  const acts = [
    { label: t('inpaint.grow'), Icon: IconCirclePlus, act: () => editor.apply((mask) => grow(mask, stepPx)) },
    {
      label: t('inpaint.shrink'),
      Icon: IconCircleMinus,
      act: () => editor.apply((mask) => shrink(mask, stepPx)),
    },
    { label: t('inpaint.invert'), Icon: IconContrast, act: () => editor.apply(invert) },
    { label: t('inpaint.clear'), Icon: IconEraserOff, act: () => editor.apply(clear) },
    { label: t('inpaint.import'), Icon: IconFileImport, act: onImport },
    { label: t('inpaint.export'), Icon: IconFileExport, act: onExport },
  ];
  return (
    <>
      <div>
        <Text size="sm" fw={500} mb={4}>
          {t('inpaint.size')}{' '}
          <span className="pm-quiet pm-number">{t('inpaint.sizePx', { size: brushPx })}</span>
        </Text>
        <Slider
          thumbLabel={t('inpaint.size')}
          min={0}
          max={100}
          value={Math.round(toShare(brushPx) * 100)}
          onChange={(value) => change({ brushPx: fromShare(value / 100) })}
          label={null}
        />
      </div>
      <div>
        <Text size="sm" fw={500} mb={6}>
          {t('inpaint.mask')}
        </Text>
        <div className={classes.pair} role="group" aria-label={t('inpaint.mask')}>
          {acts.map(({ label, Icon, act }) => (
            <Button
              key={label}
              variant="default"
              size="xs"
              h={36}
              px={8}
              justify="flex-start"
              leftSection={<Icon size={16} stroke={1.75} />}
              onClick={act}
              styles={{ label: { whiteSpace: 'normal', lineHeight: 1.15, textAlign: 'left' } }}
            >
              {label}
            </Button>
          ))}
        </div>
      </div>
    </>
  );
}
