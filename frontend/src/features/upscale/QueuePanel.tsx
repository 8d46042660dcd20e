import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconFileZip, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { saveBlob } from '../../lib/save';
import type { QueueItem } from '../../state/queue';
import { useServices } from '../../state/services';
import { QueueRow } from './QueueRow';
import { nameOfResult } from './saveResult';
import workbench from '../../ui/Workbench.module.css';
import classes from './Upscale.module.css';

interface Props {
  items: readonly QueueItem[];
  selectedId: string | null;
  onAdd: () => void;
}

export function QueuePanel({ items, selectedId, onAdd }: Props) {
  const { t } = useTranslation();
  const { queue } = useServices();
  const done = items.filter((item) => item.result !== null);
  const [isZipping, setZipping] = useState(false);
  const downloadAll = async () => {
    setZipping(true);
    try {
      const { zipFiles } = await import('../../files/zip');
      const files = done.flatMap(({ result, fileName }) =>
        result ? [{ name: nameOfResult(fileName, result), blob: result.blob }] : [],
      );
      saveBlob(await zipFiles(files), 'pixelmend.zip');
    } finally {
      setZipping(false);
    }
  };
  return (
    <div className={`pm-card ${workbench.list}`}>
      <div className={workbench.listHead}>
        <h2 style={{ fontSize: 14, fontWeight: 600, margin: 0 }}>
          {t('queue.title')} <span className="pm-quiet pm-number">{items.length}</span>
        </h2>
        <span style={{ display: 'flex', gap: 2 }}>
          <Tooltip label={t('add.more')}>
            <ActionIcon size="lg" aria-label={t('add.more')} onClick={onAdd}>
              <IconPlus size={19} stroke={1.75} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t('queue.clear')}>
            <ActionIcon
              size="lg"
              aria-label={t('queue.clear')}
              onClick={() => queue.dispatch({ type: 'removed', ids: items.map((item) => item.id) })}
            >
              <IconTrash size={18} stroke={1.75} />
            </ActionIcon>
          </Tooltip>
        </span>
      </div>
      <ul className={workbench.rows} aria-label={t('queue.title')} data-testid="queue">
        {items.map((item) => (
          <QueueRow key={item.id} item={item} isSelected={item.id === selectedId} />
        ))}
      </ul>
      {done.length > 1 && (
        <div className={classes.queueFoot}>
          <Button
            fullWidth
            variant="light"
            loading={isZipping}
            leftSection={<IconFileZip size={18} stroke={1.75} />}
            onClick={() => void downloadAll()}
          >
            {t('queue.downloadAll')}
          </Button>
        </div>
      )}
    </div>
  );
}
