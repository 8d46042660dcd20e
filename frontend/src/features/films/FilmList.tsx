import { ActionIcon, Progress, Tooltip } from '@mantine/core';
import { IconMovie, IconPlayerStop, IconPlus, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { formatBytes, formatClock, formatSeconds } from '../../lib/format';
import type { ProcessProgress } from '../../processing/processor';
import type { Film } from '../../state/films';
import { useServices } from '../../state/services';
import { MessageText } from '../../ui/MessageText';
import workbench from '../../ui/Workbench.module.css';
import classes from './Films.module.css';

interface Props {
  films: readonly Film[];
  selectedId: string | null;
  onAdd: () => void;
}

export function FilmList({ films, selectedId, onAdd }: Props) {
  const { t } = useTranslation();
  return (
    <div className={`pm-card ${workbench.list}`}>
      <div className={workbench.listHead}>
        <h2 className={classes.title}>
          {t('films.title')} <span className="pm-quiet pm-number">{films.length}</span>
        </h2>
        <Tooltip label={t('films.more')}>
          <ActionIcon size="lg" aria-label={t('films.more')} onClick={onAdd}>
            <IconPlus size={19} stroke={1.75} />
          </ActionIcon>
        </Tooltip>
      </div>
      <ul className={workbench.rows} aria-label={t('films.title')} data-testid="films">
        {films.map((film) => (
          <FilmRow key={film.id} film={film} isSelected={film.id === selectedId} />
        ))}
      </ul>
    </div>
  );
}

function FilmRow({ film, isSelected }: { film: Film; isSelected: boolean }) {
  const { t } = useTranslation();
  const { films, filmRunner } = useServices();
  const { id, fileName, state, part } = film;
  const remove = t('queue.remove', { name: fileName });
  return (
    <li className={workbench.row} data-selected={isSelected || undefined} data-state={state}>
      <button
        type="button"
        className={workbench.select}
        aria-label={t('queue.select', { name: fileName })}
        aria-pressed={isSelected}
        onClick={() => films.dispatch({ type: 'selected', id })}
      />
      <span className={workbench.icon}>
        <IconMovie size={20} stroke={1.5} aria-hidden />
      </span>
      <div className={workbench.text}>
        <span className={workbench.name} title={fileName}>
          {fileName}
        </span>
        {part && (
          <span className={workbench.detail}>
            {t('films.part', { seconds: part.seconds, time: formatClock(part.startS) })}
          </span>
        )}
        <Detail film={film} />
      </div>
      <div className={workbench.actions}>
        {state === 'running' ? (
          <Tooltip label={t('queue.cancel')}>
            <ActionIcon size={36} aria-label={t('queue.cancel')} onClick={() => filmRunner.cancel(id)}>
              <IconPlayerStop size={18} stroke={1.75} />
            </ActionIcon>
          </Tooltip>
        ) : (
          <Tooltip label={remove}>
            <ActionIcon size={36} aria-label={remove} onClick={() => filmRunner.remove(id)}>
              <IconX size={18} stroke={1.75} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
    </li>
  );
}

function Detail({ film }: { film: Film }) {
  const { t } = useTranslation();
  const { state, progress, message, file, job } = film;
  if (state === 'running') return <RunningDetail progress={progress} />;
  if (message) {
    return (
      <span className={workbench.detail} data-state={state} role="alert">
        <MessageText message={message} />
      </span>
    );
  }
  const bytes = job?.result?.size_bytes ?? file?.size;
  return (
    <span className={workbench.detail} data-state={state}>
      {[t(`queue.state.${state}`), bytes === undefined ? null : formatBytes(bytes)]
        .filter(Boolean)
        .join(' · ')}
    </span>
  );
}

function RunningDetail({ progress }: { progress: ProcessProgress | null }) {
  const { t } = useTranslation();
  const { stage, done, total, place, etaS } = progress ?? { stage: 'uploading', done: 0, total: 0 };
  const share = total > 0 ? done / total : 0;
  const more = [
    stage === 'uploading' ? `${formatBytes(done)} / ${formatBytes(total)}` : null,
    stage === 'queued' && place ? t('queue.place', { place }) : null,
    stage === 'computing' && total > 0 ? t('films.progress', { done, total }) : null,
    stage === 'computing' && etaS ? t('queue.eta', { time: formatSeconds(etaS, t) }) : null,
  ];
  return (
    <span className={workbench.detail} data-testid="progress">
      {[t(`queue.stage.${stage}`), ...more].filter(Boolean).join(' · ')}
      <Progress
        value={share * 100}
        size={5}
        mt={4}
        transitionDuration={120}
        aria-label={t('queue.state.running')}
      />
    </span>
  );
}
