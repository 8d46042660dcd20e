import { Button } from '@mantine/core';
import { IconPhotoPlus } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useLimits } from '../state/hooks';
import { useIsDragging } from './useIsDragging';
import classes from './DropZone.module.css';

interface Props {
  title: string;
  onPick: () => void;
  /** The button's text; missing: that for images. */
  pick?: string;
  /** What can be taken; missing: what is said of images. */
  children?: React.ReactNode;
}

/** Asks for the first file. Dropping works anywhere on the page. */
export function DropZone({ title, onPick, pick, children }: Props) {
  const { t } = useTranslation();
  const limits = useLimits();
  const isDragging = useIsDragging();
  const values = {
    megabytes: Math.round(limits.max_upload_bytes / 1e6),
    megapixels: Math.round(limits.max_input_pixels / 1e6),
  };
  return (
    <div className={classes.zone} data-dragging={isDragging || undefined}>
      <IconPhotoPlus size={44} stroke={1.25} className={classes.icon} aria-hidden />
      <h2 className={classes.title}>{isDragging ? t('add.dropNow') : title}</h2>
      <p className={classes.hint}>
        {t('add.hint')}
        <Button onClick={onPick}>{pick ?? t('add.pick')}</Button>
      </p>
      <p className={classes.small}>
        {children ?? (
          <>
            {t('add.formats')}
            <br />
            {t('add.limits', values)}
          </>
        )}
      </p>
    </div>
  );
}
