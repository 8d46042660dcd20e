import { useTranslation } from 'react-i18next';
import { pickFiles } from '../../files/pick';
import type { QueueItem } from '../../state/queue';
import { useServices, useStore } from '../../state/services';
import { DropZone } from '../../ui/DropZone';
import { useShortcuts } from '../../ui/useShortcuts';
import { CompareViewer, type Picture } from '../../ui/viewer/CompareViewer';
import { OptionsPanel } from './OptionsPanel';
import { QueuePanel } from './QueuePanel';
import { ResultNotes } from './ResultNotes';
import { saveResult } from './saveResult';
import workbench from '../../ui/Workbench.module.css';

export function UpscaleTab() {
  const { t } = useTranslation();
  const { queue, openIn } = useServices();
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
  const pick = () => pickFiles((files) => openIn('upscale', files));
  const isEmpty = items.length === 0;
  return (
    <section className={workbench.tab} data-empty={isEmpty || undefined} aria-label={t('app.upscale')}>
      {!isEmpty && <QueuePanel items={items} selectedId={selectedId} onAdd={pick} />}
      <div className={workbench.stage}>
        {isEmpty ? (
          <DropZone title={t('add.title')} onPick={pick} />
        ) : (
          <>
            <div className={workbench.viewer}>
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

function originalOf(item: QueueItem | null): Picture | null {
  if (!item || item.state === 'refused' || item.state === 'checking') return null;
  const { file, probe } = item;
  return {
    file,
    widthPx: probe?.widthPx ?? null,
    heightPx: probe?.heightPx ?? null,
    format: (probe?.format ?? 'image').toUpperCase(),
  };
}

function resultOf(item: QueueItem | null): Picture | null {
  if (!item?.result) return null;
  const { blob, width, height } = item.result;
  const format = (blob.type.split('/')[1] ?? '').toUpperCase();
  return { file: blob, widthPx: width, heightPx: height, format };
}
