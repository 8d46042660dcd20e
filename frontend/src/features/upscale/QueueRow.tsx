import { ActionIcon, Button, Menu, Progress, Tooltip } from '@mantine/core';
import {
  IconDotsVertical,
  IconDownload,
  IconPhoto,
  IconPlayerStop,
  IconRefresh,
  IconX,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { formatBytes, formatSeconds } from '../../lib/format';
import type { ProcessProgress } from '../../processing/processor';
import { useMode } from '../../state/hooks';
import { isActive, type QueueItem } from '../../state/queue';
import { useServices } from '../../state/services';
import { BlobImage } from '../../ui/BlobImage';
import { MessageText } from '../../ui/MessageText';
import { saveResult } from './saveResult';
import workbench from '../../ui/Workbench.module.css';
import classes from './Upscale.module.css';

export function QueueRow({ item, isSelected }: { item: QueueItem; isSelected: boolean }) {
  const { t } = useTranslation();
  const { queue } = useServices();
  return (
    <li className={workbench.row} data-selected={isSelected || undefined} data-state={item.state}>
      <button
        type="button"
        className={workbench.select}
        aria-label={t('queue.select', { name: item.fileName })}
        aria-pressed={isSelected}
        onClick={() => queue.dispatch({ type: 'selected', id: item.id })}
      />
      {item.thumbnail ? (
        <BlobImage blob={item.thumbnail} className={workbench.icon} width={48} height={48} />
      ) : (
        <span className={workbench.icon}>
          <IconPhoto size={20} stroke={1.5} aria-hidden />
        </span>
      )}
      <div className={workbench.text}>
        <span className={workbench.name} title={item.fileName}>
          {item.fileName}
        </span>
        <Detail item={item} />
      </div>
      <Actions item={item} />
    </li>
  );
}

function Detail({ item }: { item: QueueItem }) {
  const { t } = useTranslation();
  const { queue } = useServices();
  const { state, probe, result, message, progress } = item;
  if (state === 'running' && progress) return <RunningDetail progress={progress} />;
  if (message) {
    const isAnimation = state === 'refused' && message.key === 'refusals.animated';
    return (
      <span className={workbench.detail} data-state={state}>
        <MessageText message={message} />
        {isAnimation && (
          <Button
            size="compact-xs"
            variant="light"
            mt={4}
            onClick={() => queue.dispatch({ type: 'first-frame', id: item.id })}
          >
            {t('queue.firstFrame')}
          </Button>
        )}
      </span>
    );
  }
  const size = result
    ? t('queue.size', { width: result.width, height: result.height })
    : probe?.widthPx && probe.heightPx
      ? t('queue.size', { width: probe.widthPx, height: probe.heightPx })
      : formatBytes(item.file.size);
  return (
    <span className={`${workbench.detail} ${classes.short}`} data-state={state}>
      {t(`queue.state.${state}`)} · {size}
    </span>
  );
}

function RunningDetail({ progress }: { progress: ProcessProgress }) {
  const { t } = useTranslation();
  const { stage, place, etaS, fraction } = progress;
  const more =
    stage === 'queued' && place
      ? t('queue.place', { place })
      : etaS
        ? t('queue.eta', { time: formatSeconds(etaS, t) })
        : `${Math.round(fraction * 100)} %`;
  return (
    <span className={workbench.detail}>
      {t(`queue.stage.${stage}`)} · {more}
      <Progress
        value={fraction * 100}
        size={5}
        mt={4}
        transitionDuration={120}
        aria-label={t('queue.state.running')}
      />
    </span>
  );
}

function Actions({ item }: { item: QueueItem }) {
  const { t } = useTranslation();
  const { queue, runner } = useServices();
  const retry = () =>
    item.options && queue.dispatch({ type: 'submitted', ids: [item.id], options: item.options });
  return (
    <div className={workbench.actions}>
      {isActive(item) && (
        <Tooltip label={t('queue.cancel')}>
          <ActionIcon size={36} aria-label={t('queue.cancel')} onClick={() => runner.cancel(item.id)}>
            <IconPlayerStop size={18} stroke={1.75} />
          </ActionIcon>
        </Tooltip>
      )}
      {(item.state === 'failed' || item.state === 'cancelled') && (
        <Tooltip label={t('queue.retry')}>
          <ActionIcon size={36} aria-label={t('queue.retry')} onClick={retry}>
            <IconRefresh size={18} stroke={1.75} />
          </ActionIcon>
        </Tooltip>
      )}
      {item.result && (
        <Tooltip label={t('queue.download')}>
          <ActionIcon
            size={36}
            color="mend"
            aria-label={t('queue.download')}
            onClick={() => saveResult(item)}
          >
            <IconDownload size={18} stroke={1.75} />
          </ActionIcon>
        </Tooltip>
      )}
      {item.result ? (
        <MoreMenu item={item} onRetry={retry} />
      ) : (
        <Tooltip label={t('queue.remove', { name: item.fileName })}>
          <ActionIcon
            size={36}
            aria-label={t('queue.remove', { name: item.fileName })}
            onClick={() => queue.dispatch({ type: 'removed', ids: [item.id] })}
          >
            <IconX size={18} stroke={1.75} />
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  );
}

function MoreMenu({ item, onRetry }: { item: QueueItem; onRetry: () => void }) {
  const { t } = useTranslation();
  const { queue, openIn } = useServices();
  const canRedo = useMode() === 'server' && item.result?.mode === 'browser';
  const inpaint = () => openIn('inpaint', [new File([item.file], item.fileName, { type: item.file.type })]);
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon size={36} aria-label={`${t('system.actions')}: ${item.fileName}`}>
          <IconDotsVertical size={18} stroke={1.75} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {canRedo && <Menu.Item onClick={onRetry}>{t('queue.redoOnService')}</Menu.Item>}
        <Menu.Item onClick={inpaint}>{t('queue.inpaint')}</Menu.Item>
        <Menu.Item onClick={() => queue.dispatch({ type: 'removed', ids: [item.id] })}>
          {t('queue.remove', { name: item.fileName })}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
