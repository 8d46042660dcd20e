import { Button, Select } from '@mantine/core';
import { IconArrowsMaximize, IconDownload, IconFlask, IconPlayerStop } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { formatClock } from '../../lib/format';
import { newId } from '../../lib/id';
import { saveBlob } from '../../lib/save';
import { filmFields, type FilmPart } from '../../processing/films';
import { useDials, useModels } from '../../state/hooks';
import type { Film } from '../../state/films';
import { useServices, useSettings } from '../../state/services';
import { DialFields } from '../../ui/DialFields';
import { RecipeSelect } from '../../ui/RecipeSelect';
import { SizeFields } from '../../ui/SizeFields';
import { useModelName } from '../../ui/useModelName';
import { useShortcuts } from '../../ui/useShortcuts';
import { Estimate } from './Estimate';
import { filmSize, TRIAL_S, trialStart } from './facts';
import workbench from '../../ui/Workbench.module.css';
import classes from './Films.module.css';
import { FormatFields } from './FormatFields';
import { filmOptionsOf, filmRecipes, filmSettings } from './settings';
import { useResult } from './useResult';

/** Stands for the service's own choice: a list has no value null. */
const OWN = '';

interface Props {
  film: Film | null;
  /** Where the player is. */
  timeS: number;
  isAble: boolean;
}

/** The options of the result, an estimate, and the buttons that start. */
export function OptionsPanel({ film, timeS, isAble }: Props) {
  const { t } = useTranslation();
  const [settings, change] = useSettings(filmSettings);
  const models = useModels('upscale');
  const dials = useDials(settings.filmModel);
  const nameOf = useModelName();
  const { filmSizing, filmFactor, filmWidthPx, filmHeightPx, filmModel } = settings;
  const facts = film?.facts ?? null;
  const state = film?.state ?? null;
  const isSendable = isAble && Boolean(film?.file) && state !== 'refused' && state !== 'checking';
  const trialS = trialStart(timeS, facts?.durationS ?? null);
  const send = useSend(film);
  return (
    <div className={`pm-card ${workbench.options}`}>
      <div className={workbench.fields}>
        <h2 className={classes.title}>{t('options.title')}</h2>
        <RecipeSelect form={filmRecipes} />
        <SizeFields
          sizing={{ sizing: filmSizing, factor: filmFactor, widthPx: filmWidthPx, heightPx: filmHeightPx }}
          onChange={(sizing) =>
            change({
              ...(sizing.sizing === undefined ? {} : { filmSizing: sizing.sizing }),
              ...(sizing.factor === undefined ? {} : { filmFactor: sizing.factor }),
              ...(sizing.widthPx === undefined ? {} : { filmWidthPx: sizing.widthPx }),
              ...(sizing.heightPx === undefined ? {} : { filmHeightPx: sizing.heightPx }),
            })
          }
          result={facts && filmSize(facts, filmOptionsOf(settings, [], null).target)}
        />
        <Select
          label={t('options.model')}
          data={[
            { value: OWN, label: t('films.standardModel') },
            ...models.map(({ id, scale }) => ({
              value: id,
              label: scale ? `${nameOf(id)} (×${scale})` : nameOf(id),
            })),
          ]}
          value={filmModel ?? OWN}
          allowDeselect={false}
          inputWrapperOrder={['label', 'input', 'description']}
          description={models.find((model) => model.id === filmModel)?.title ?? t('films.standardHint')}
          onChange={(value) => change({ filmModel: value || null })}
        />
        <DialFields
          dials={dials}
          values={{ denoise: settings.filmDenoise, detail: settings.filmDetail }}
          onChange={(dial, value) =>
            change(dial === 'denoise' ? { filmDenoise: value } : { filmDetail: value })
          }
        />
        <Button
          variant="default"
          disabled={!isSendable}
          leftSection={<IconFlask size={17} stroke={1.75} />}
          onClick={() => send.copy({ startS: trialS, seconds: TRIAL_S })}
          data-testid="try"
        >
          {t('films.try', { seconds: TRIAL_S, time: formatClock(trialS) })}
        </Button>
        <FormatFields />
      </div>
      <StartBox film={film} isSendable={isSendable} send={send} />
    </div>
  );
}

interface Send {
  /** The film itself. */
  film(): void;
  /** Another run of the film, or of a part of it; what was done before stays in the list. */
  copy(part: FilmPart | null): void;
}

function useSend(film: Film | null): Send {
  const { films, filmRunner } = useServices();
  const [settings] = useSettings(filmSettings);
  const dials = useDials(settings.filmModel);
  const fields = (part: FilmPart | null) =>
    filmFields(filmOptionsOf(settings, dials, part), film?.facts?.isAnimation ?? false);
  return {
    film: () => film && filmRunner.start(film.id, fields(null)),
    copy: (part) => {
      if (!film) return;
      const id = newId();
      films.dispatch({ type: 'copied', id, from: film.id, part });
      filmRunner.start(id, fields(part));
    },
  };
}

function StartBox({ film, isSendable, send }: { film: Film | null; isSendable: boolean; send: Send }) {
  const { t } = useTranslation();
  const { filmRunner } = useServices();
  const state = film?.state ?? null;
  const start = () => {
    if (!film || !isSendable || state === 'running') return;
    if (film.part === null && state !== 'done') send.film();
    else send.copy(null);
  };
  useShortcuts({ 'Ctrl+Enter': start });
  return (
    <div className={workbench.start}>
      <Estimate film={film} />
      <div className={classes.buttons}>
        {state === 'done' && film && <DownloadButton film={film} />}
        {state === 'running' && film ? (
          <Button
            size="md"
            variant="default"
            leftSection={<IconPlayerStop size={18} stroke={1.75} />}
            onClick={() => filmRunner.cancel(film.id)}
          >
            {t('queue.cancel')}
          </Button>
        ) : (
          <Button
            size="md"
            variant={state === 'done' ? 'default' : 'filled'}
            disabled={!isSendable}
            leftSection={<IconArrowsMaximize size={18} stroke={1.75} />}
            onClick={start}
            data-testid="start"
          >
            {film?.part ? t('films.startWhole') : state === 'done' ? t('options.again') : t('films.start')}
          </Button>
        )}
      </div>
    </div>
  );
}

function DownloadButton({ film }: { film: Film }) {
  const { t } = useTranslation();
  const result = useResult(film);
  const icon = <IconDownload size={18} stroke={1.75} />;
  const save = async (url: string, name: string) => saveBlob(await (await fetch(url)).blob(), name);
  if (!result?.url) {
    return (
      <Button size="md" loading leftSection={icon}>
        {t('queue.download')}
      </Button>
    );
  }
  const { url, fileName } = result;
  // What is in memory already is saved from there; the rest is the browser's own download.
  if (url.startsWith('blob:')) {
    return (
      <Button size="md" leftSection={icon} onClick={() => void save(url, fileName)}>
        {t('queue.download')}
      </Button>
    );
  }
  return (
    <Button size="md" component="a" href={url} download={fileName} leftSection={icon}>
      {t('queue.download')}
    </Button>
  );
}
