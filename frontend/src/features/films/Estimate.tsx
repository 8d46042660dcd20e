import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { formatBytes, formatSeconds } from '../../lib/format';
import { problemMessage } from '../../lib/message';
import { upscalingFields } from '../../processing/fields';
import { useDials, useMode } from '../../state/hooks';
import type { Film } from '../../state/films';
import { useServices, useSettings } from '../../state/services';
import { MessageText } from '../../ui/MessageText';
import { framesOf } from './facts';
import workbench from '../../ui/Workbench.module.css';
import { filmOptionsOf, filmSettings } from './settings';

/** About what a film will take, before it is sent. */
export function Estimate({ film }: { film: Film | null }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const mode = useMode();
  const [settings] = useSettings(filmSettings);
  const dials = useDials(settings.filmModel);
  const options = filmOptionsOf(settings, dials, null);
  const { model } = options;
  const facts = film?.facts ?? null;
  const frames = facts && framesOf(facts);
  const fields = {
    ...upscalingFields(options),
    ...(model === null ? {} : { model }),
    image_width: facts?.widthPx ?? 0,
    image_height: facts?.heightPx ?? 0,
    image_frames: frames ?? 0,
  };
  const { data } = useQuery({
    queryKey: ['service', 'estimate', fields],
    queryFn: ({ signal }) => api.estimate(fields, signal),
    enabled: mode === 'server' && frames !== null,
  });
  const said = () => {
    if (film === null || film.state === 'refused') return t('films.estimate.none');
    if (film.state === 'checking') return '…';
    if (frames === null) return t('films.estimate.unknown');
    if (!data) return '…';
    if (data.problem) return <MessageText message={problemMessage(data.problem)} />;
    return [
      data.seconds
        ? t('estimate.time', { time: formatSeconds(data.seconds.total, t) })
        : t('films.estimate.notMeasured'),
      t('films.estimate.frames', { count: frames }),
      data.result_bytes === null ? null : t('films.estimate.bytes', { size: formatBytes(data.result_bytes) }),
      data.wait_seconds !== null && data.wait_seconds > 1
        ? t('estimate.wait', { time: formatSeconds(data.wait_seconds, t) })
        : null,
    ]
      .filter(Boolean)
      .join(' · ');
  };
  return (
    <div className={workbench.estimate} data-testid="estimate" aria-live="polite">
      <span style={{ fontWeight: 600 }}>{t('estimate.title')}</span>
      <br />
      <span className="pm-quiet pm-number">{said()}</span>
    </div>
  );
}
