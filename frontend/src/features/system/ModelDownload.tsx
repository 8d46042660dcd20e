import { Button, Group, Progress } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { formatBytes } from '../../lib/format';
import type { ModelAction, ModelProps } from './modelAction';
import classes from './System.module.css';

/** Offers the download of a model to the service, shows its progress, or says what to do after a failure. */
export function ModelDownload({ model, isBusy, onAct }: ModelProps) {
  const { t } = useTranslation();
  const { download } = model;
  const button = (text: string, action: ModelAction) => (
    <Button
      size="compact-sm"
      variant="default"
      loading={isBusy}
      aria-label={t('system.modelAction', { action: text, id: model.id })}
      onClick={() => onAct(action)}
    >
      {text}
    </Button>
  );
  if (!download) {
    return button(
      model.file_bytes
        ? t('system.downloadSize', { size: formatBytes(model.file_bytes) })
        : t('system.download'),
      'download',
    );
  }
  if (download.state === 'failed') {
    return (
      <Group gap={6} wrap="nowrap">
        {button(t('system.tryAgain'), 'download')}
        {button(t('system.dismiss'), 'stopDownload')}
      </Group>
    );
  }
  const { received_bytes: receivedBytes, total_bytes: totalBytes } = download;
  return (
    <div className={classes.download}>
      <Group gap={8} justify="space-between" wrap="nowrap">
        <span className={classes.modelTitle}>
          {t('system.downloadProgress', {
            received: formatBytes(receivedBytes),
            total: formatBytes(totalBytes),
          })}
        </span>
        {button(t('system.stop'), 'stopDownload')}
      </Group>
      <Progress
        value={(receivedBytes / totalBytes) * 100}
        size={5}
        transitionDuration={400}
        aria-label={t('system.modelAction', { action: t('system.downloading'), id: model.id })}
      />
    </div>
  );
}
