import { Alert, Button } from '@mantine/core';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { canFilms } from '../../processing/films';
import { useInfo, useLimits, useMode } from '../../state/hooks';
import { useGeneralSettings, useServices, useStore } from '../../state/services';
import { DropZone } from '../../ui/DropZone';
import { useShortcuts } from '../../ui/useShortcuts';
import { FilmList } from './FilmList';
import workbench from '../../ui/Workbench.module.css';
import { FilmStage } from './FilmStage';
import { OptionsPanel } from './OptionsPanel';
import { pickAndAdd } from './take';

export default function FilmsTab() {
  const { t } = useTranslation();
  const services = useServices();
  const { films, filmRunner } = services;
  const { films: all, selectedId } = useStore(films);
  const selected = all.find((film) => film.id === selectedId) ?? null;
  const limits = useLimits();
  const mode = useMode();
  const obstacle = useObstacle();
  const [timeS, setTimeS] = useState(0);
  const onTime = useCallback((value: number) => setTimeS(value), []);
  useEffect(() => {
    // An old service has no such jobs, and one that is away is asked when it is back.
    if (mode === 'server') void filmRunner.findJobs().catch(() => undefined);
  }, [mode, filmRunner]);
  useShortcuts({
    Delete: () => selected && selected.state !== 'running' && filmRunner.remove(selected.id),
  });
  const pick = () => pickAndAdd(services);
  const isEmpty = all.length === 0;
  return (
    <section className={workbench.tab} data-empty={isEmpty || undefined} aria-label={t('app.films')}>
      {!isEmpty && <FilmList films={all} selectedId={selectedId} onAdd={pick} />}
      <div className={workbench.stage}>
        {obstacle && <Obstacle why={obstacle} />}
        {isEmpty ? (
          <DropZone title={t('films.drop')} pick={t('films.pick')} onPick={pick}>
            {t('films.kinds')}
            <br />
            {t('films.limits', {
              gigabytes: Math.round(limits.max_video_bytes / 1e8) / 10,
              hours: Math.round(limits.max_video_s / 360) / 10,
            })}
          </DropZone>
        ) : (
          selected && <FilmStage key={selected.id} film={selected} onTime={onTime} />
        )}
      </div>
      <OptionsPanel film={selected} timeS={timeS} isAble={obstacle === null && mode === 'server'} />
    </section>
  );
}

type Why = 'browserOnly' | 'browserChosen' | 'noService' | 'notInstalled';

/** Why films cannot be upscaled now; null if they can, or while that is not known. */
function useObstacle(): Why | null {
  const { build } = useServices();
  const [{ preference }] = useGeneralSettings();
  const mode = useMode();
  const info = useInfo();
  if (build.browserOnly) return 'browserOnly';
  if (preference === 'browser') return 'browserChosen';
  if (mode === 'browser' || mode === 'none') return 'noService';
  return info.data && !canFilms(info.data.tasks) ? 'notInstalled' : null;
}

function Obstacle({ why }: { why: Why }) {
  const { t } = useTranslation();
  const [, change] = useGeneralSettings();
  return (
    <Alert color="orange" variant="light" title={t('films.obstacles.title')} data-testid="obstacle">
      {t(`films.obstacles.${why}`)}
      {why === 'browserChosen' && (
        <Button size="compact-sm" variant="default" ml="sm" onClick={() => change({ preference: 'auto' })}>
          {t('mode.useService')}
        </Button>
      )}
    </Alert>
  );
}
