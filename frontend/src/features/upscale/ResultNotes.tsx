import { useTranslation } from 'react-i18next';
import { formatBytes, formatSeconds } from '../../lib/format';
import type { QueueItem } from '../../state/queue';
import { NoteText } from '../../ui/NoteText';
import workbench from '../../ui/Workbench.module.css';

/** What computed the result, in what time, and what is different from what was asked. */
export function ResultNotes({ item }: { item: QueueItem | null }) {
  const { t } = useTranslation();
  const result = item?.result;
  const running = item?.progress?.note;
  return (
    <div className={workbench.notes} role="status" data-testid="notes">
      {running && <NoteText note={running} />}
      {result && (
        <>
          <span className="pm-number" data-testid="ran-on" data-mode={result.mode}>
            {t('queue.size', { width: result.width, height: result.height })} ·{' '}
            {formatBytes(result.blob.size)} · {result.model} ·{' '}
            {t('queue.ranOn', {
              where: t(`mode.${result.mode}`),
              time: formatSeconds(result.timing.totalMs / 1000, t),
            })}
          </span>
          {result.notes.map((note) => (
            <NoteText key={note.text} note={note} />
          ))}
        </>
      )}
    </div>
  );
}
