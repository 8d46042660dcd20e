import { ActionIcon, Tooltip } from '@mantine/core';
import { IconGridDots, IconMaximize, IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useShortcuts } from '../useShortcuts';
import { type Viewport, ZOOM_STEP } from './useViewport';
import classes from './Viewer.module.css';

interface Props {
  viewport: Viewport;
  isPixelView: boolean;
  onPixelView: (isOn: boolean) => void;
}

export function ZoomBar({ viewport, isPixelView, onPixelView }: Props) {
  const { t } = useTranslation();
  const { fit, actual, zoom, view } = viewport;
  useShortcuts({
    '+': () => zoom(ZOOM_STEP),
    '=': () => zoom(ZOOM_STEP),
    '-': () => zoom(1 / ZOOM_STEP),
    '0': fit,
    '1': actual,
  });
  const buttons = [
    { label: t('viewer.zoomOut'), Icon: IconZoomOut, act: () => zoom(1 / ZOOM_STEP) },
    { label: t('viewer.zoomIn'), Icon: IconZoomIn, act: () => zoom(ZOOM_STEP) },
    { label: t('viewer.fit'), Icon: IconMaximize, act: fit },
    { label: t('viewer.actual'), Icon: OneToOne, act: actual },
  ];
  return (
    <div className={classes.bar}>
      <span className={classes.percent} data-testid="zoom">
        {Math.round(view.scale * window.devicePixelRatio * 100)} %
      </span>
      {buttons.map(({ label, Icon, act }) => (
        <Tooltip key={label} label={label}>
          <ActionIcon size={32} aria-label={label} onClick={act}>
            <Icon size={18} stroke={1.75} />
          </ActionIcon>
        </Tooltip>
      ))}
      <Tooltip label={t('viewer.pixels')}>
        <ActionIcon
          size={32}
          variant={isPixelView ? 'light' : 'subtle'}
          color={isPixelView ? 'mend' : 'gray'}
          aria-label={t('viewer.pixels')}
          aria-pressed={isPixelView}
          onClick={() => onPixelView(!isPixelView)}
        >
          <IconGridDots size={18} stroke={1.75} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

function OneToOne() {
  return <span style={{ fontSize: 12, fontWeight: 600 }}>1:1</span>;
}
