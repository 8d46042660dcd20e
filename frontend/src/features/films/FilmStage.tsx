import { Button } from '@mantine/core';
import { IconMovie } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { pickFilms } from '../../files/pick';
import { formatBytes, formatClock } from '../../lib/format';
import type { Film } from '../../state/films';
import { useServices } from '../../state/services';
import { ComparePlayer } from '../../ui/player/ComparePlayer';
import type { Media } from '../../ui/player/media';
import { NoteText } from '../../ui/NoteText';
import { partOffset } from './facts';
import workbench from '../../ui/Workbench.module.css';
import classes from './Films.module.css';
import { useFinishedPart } from './useFinishedPart';
import { useObjectUrl, useResult, type FilmResult } from './useResult';

/** Shows a film: as it was chosen, what is finished of it, or before and after. */
export function FilmStage({ film, onTime }: { film: Film; onTime: (timeS: number) => void }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const original = useObjectUrl(film.file);
  const part = useFinishedPart(film);
  const result = useResult(film);
  const partUrl = part?.url ?? null;
  const resultUrl = result?.url ?? null;
  const isPicture = result?.mediaType.startsWith('image/') ?? false;
  const isAnimation = film.facts?.isAnimation ?? film.file?.type.startsWith('image/') ?? false;
  const before = useMemo<Media | null>(
    () => (original === null ? null : { kind: isAnimation ? 'picture' : 'film', src: original }),
    [original, isAnimation],
  );
  const after = useMemo<Media | null>(() => {
    if (resultUrl !== null) return { kind: isPicture ? 'picture' : 'film', src: resultUrl };
    if (partUrl !== null) return { kind: 'playlist', src: partUrl, headers: () => api.headers() };
    return null;
  }, [api, resultUrl, isPicture, partUrl]);
  const isUnseen = film.facts === null && ['ready', 'done'].includes(film.state);
  return (
    <>
      <div className={workbench.viewer}>
        <ComparePlayer
          before={before}
          after={after}
          offsetS={partOffset(film.part)}
          isAfterSilent={resultUrl === null}
          empty={
            <span className={classes.empty}>
              <IconMovie size={36} stroke={1.25} aria-hidden />
              {isUnseen ? t('films.cannotPlay') : t(`films.empty.${film.state}`)}
            </span>
          }
          onTime={onTime}
        />
      </div>
      <Caption film={film} finishedS={part?.seconds ?? null} result={result} />
    </>
  );
}

interface CaptionProps {
  film: Film;
  finishedS: number | null;
  result: FilmResult | null;
}

function Caption({ film, finishedS, result }: CaptionProps) {
  const { t } = useTranslation();
  const { films } = useServices();
  const { file, facts, job, state } = film;
  const size = job?.result;
  const parts = [
    facts ? t('queue.size', { width: facts.widthPx, height: facts.heightPx }) : null,
    facts?.durationS ? formatClock(facts.durationS) : null,
    facts?.frames ? t('films.frames', { count: facts.frames }) : null,
    file ? formatBytes(file.size) : null,
  ].filter(Boolean);
  const after = size && [
    size.width && size.height ? t('queue.size', { width: size.width, height: size.height }) : null,
    formatBytes(size.size_bytes),
    job.model,
  ];
  const lacksOriginal = file === null && (state === 'done' || state === 'running');
  return (
    <div className={workbench.notes} role="status" data-testid="film-notes">
      {parts.length > 0 && <span className="pm-number">{parts.join(' · ')}</span>}
      {after && <span className="pm-number">→ {after.filter(Boolean).join(' · ')}</span>}
      {finishedS !== null && (
        <span data-testid="finished">{t('films.finished', { time: formatClock(finishedS) })}</span>
      )}
      {result?.notes.map((note) => (
        <NoteText key={note.text} note={note} />
      ))}
      {lacksOriginal && (
        <Button
          size="compact-xs"
          variant="light"
          onClick={() =>
            pickFilms(([chosen]) => chosen && films.dispatch({ type: 'original', id: film.id, file: chosen }))
          }
        >
          {t('films.chooseOriginal')}
        </Button>
      )}
    </div>
  );
}
