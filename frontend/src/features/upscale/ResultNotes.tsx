import { IconInfoCircle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Note, ProcessingMode } from '../../processing/processor';
import type { QueueItem } from '../../state/queue';
import { formatBytes, formatSeconds } from '../../ui/format';
import classes from './Upscale.module.css';

/** Who made the result, in what time, and what is to be known of it. */
export function ResultNotes({ item }: { item: QueueItem | null }) {
  const { t } = useTranslation();
  const result = item?.result;
  const running = item?.progress?.note;
  return (
    <div className={classes.notes} role="status" data-testid="notes">
      {running && <NoteText note={running} />}
      {result && (
        <>
          <span className="pm-number" data-testid="ran-on" data-mode={result.mode}>
            {t('queue.size', { width: result.width, height: result.height })} ·{' '}
            {formatBytes(result.blob.size)} · {result.model} ·{' '}
            {t('queue.ranOn', {
              where: whereText(result.mode, t),
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

export function NoteText({ note }: { note: Note }) {
  const { t } = useTranslation();
  return (
    <span style={{ display: 'inline-flex', gap: 4, alignItems: 'center' }}>
      <IconInfoCircle size={15} aria-hidden />
      {note.key === null ? note.text : t(`notes.${note.key}`, { ...note.values, defaultValue: note.text })}
    </span>
  );
}

function whereText(mode: ProcessingMode, t: (key: string) => string): string {
  return t(mode === 'server' ? 'mode.server' : 'mode.browser');
}
