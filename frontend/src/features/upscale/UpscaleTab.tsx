import { useTranslation } from 'react-i18next';
import { useServices, useStore } from '../../app/services';
import { useShortcuts } from '../../app/useShortcuts';
import { DropZone } from '../../ui/DropZone';
import { saveBlob } from '../../ui/save';
import { resultName } from '../../ui/format';
import { CompareViewer, type Picture } from '../viewer/CompareViewer';
import type { QueueItem } from '../../state/queue';
import { OptionsPanel } from './OptionsPanel';
import { QueuePanel } from './QueuePanel';
import { ResultNotes } from './ResultNotes';
import classes from './Upscale.module.css';
import { addFiles, pickFiles } from './useAddFiles';

export function UpscaleTab() {
  const { t } = useTranslation();
  const services = useServices();
  const { queue } = services;
  const { items, selectedId } = useStore(queue);
  const selected = items.find((item) => item.id === selectedId) ?? null;
  const step = (by: number) => {
    const at = items.findIndex((item) => item.id === selectedId);
    const next = items[Math.min(items.length - 1, Math.max(0, at + by))];
    if (next) queue.dispatch({ type: 'selected', id: next.id });
  };
  useShortcuts({
    j: () => step(1),
    k: () => step(-1),
    Delete: () => selected && queue.dispatch({ type: 'removed', ids: [selected.id] }),
    'Ctrl+s': () => selected && saveResult(selected),
  });
  const pick = () => pickFiles((files) => addFiles(services, files));
  const isEmpty = items.length === 0;
  return (
    <section className={classes.tab} data-empty={isEmpty || undefined} aria-label={t('app.upscale')}>
      {!isEmpty && <QueuePanel items={items} selectedId={selectedId} onAdd={pick} />}
      <div className={classes.stage}>
        {isEmpty ? (
          <DropZone title={t('add.title')} onPick={pick} />
        ) : (
          <>
            <h1 className="pm-hidden">{t('app.upscale')}</h1>
            <div className={classes.viewer}>
              <CompareViewer key={selectedId} before={originalOf(selected)} after={resultOf(selected)} />
            </div>
            <ResultNotes item={selected} />
          </>
        )}
      </div>
      <OptionsPanel items={items} selected={selected} />
    </section>
  );
}

export function saveResult(item: QueueItem): void {
  const { result } = item;
  if (result) saveBlob(result.blob, resultName(item.fileName, result.width, result.height, result.blob.type));
}

function originalOf(item: QueueItem | null): Picture | null {
  if (!item || item.state === 'refused' || item.state === 'checking') return null;
  const { file, probe } = item;
  return {
    file,
    width: probe?.widthPx ?? null,
    height: probe?.heightPx ?? null,
    format: (probe?.format ?? 'image').toUpperCase(),
  };
}

function resultOf(item: QueueItem | null): Picture | null {
  if (!item?.result) return null;
  const { blob, width, height } = item.result;
  return { file: blob, width, height, format: (blob.type.split('/')[1] ?? '').toUpperCase() };
}
