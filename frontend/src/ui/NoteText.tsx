import { IconInfoCircle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Note } from '../processing/processor';

/** Says what was done differently than asked. */
export function NoteText({ note }: { note: Note }) {
  const { t } = useTranslation();
  return (
    <span style={{ display: 'inline-flex', gap: 4, alignItems: 'center' }}>
      <IconInfoCircle size={15} aria-hidden />
      {note.key === null ? note.text : t(`notes.${note.key}`, { ...note.values, defaultValue: note.text })}
    </span>
  );
}
