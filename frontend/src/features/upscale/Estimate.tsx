import { useQueries } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useDials, useMode } from '../../state/hooks';
import { problemMessage } from '../../lib/message';
import type { EstimateView } from '../../api/client';
import type { QueueItem } from '../../state/queue';
import { useServices, useSettings } from '../../state/services';
import { upscaleOptionsOf, upscalingSettings } from '../../state/upscaling';
import { formatBytes, formatSeconds } from '../../lib/format';
import { MessageText } from '../../ui/MessageText';
import { estimateFields } from './task';
import workbench from '../../ui/Workbench.module.css';

/** No more images are asked for, to limit the requests; the others count as the mean of these. */
const MAX_ASKED = 12;

/** Shows what a run will take before it begins, or why it would be refused. */
export function Estimate({ items }: { items: readonly QueueItem[] }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const [settings] = useSettings(upscalingSettings);
  const dials = useDials(settings.model);
  const mode = useMode();
  const measured = items.filter((item) => item.probe?.widthPx && item.probe.heightPx).slice(0, MAX_ASKED);
  const isSizeUnknown = items.some((item) => item.probe) && measured.length === 0;
  const options = estimateFields(upscaleOptionsOf(settings, dials));
  const answers = useQueries({
    queries: measured.map(({ probe }) => {
      const fields = { ...options, image_width: probe?.widthPx ?? 0, image_height: probe?.heightPx ?? 0 };
      return {
        queryKey: ['service', 'estimate', fields],
        queryFn: ({ signal }: { signal: AbortSignal }) => api.estimate(fields, signal),
        enabled: mode === 'server',
      };
    }),
  });
  const found = answers.flatMap((answer) => (answer.data ? [answer.data] : []));
  const refused = found.find((estimate) => !estimate.accepted && estimate.problem);
  return (
    <div className={workbench.estimate} data-testid="estimate" aria-live="polite">
      <span style={{ fontWeight: 600 }}>{t('estimate.title')}</span>
      <br />
      {mode === 'browser' ? (
        <span className="pm-quiet">{t('estimate.none_browser')}</span>
      ) : mode === 'none' ? (
        <span className="pm-quiet">{t('estimate.noneNow')}</span>
      ) : refused?.problem ? (
        <MessageText message={problemMessage(refused.problem)} />
      ) : found.length === 0 ? (
        <span className="pm-quiet">
          {items.length === 0 ? t('estimate.none') : isSizeUnknown ? t('estimate.noSize') : '…'}
        </span>
      ) : (
        <Figures found={found} count={items.length} />
      )}
    </div>
  );
}

function Figures({ found, count }: { found: readonly EstimateView[]; count: number }) {
  const { t } = useTranslation();
  const seconds = meanTimes(
    found.map((one) => one.seconds?.total ?? null),
    count,
  );
  const tiles = meanTimes(
    found.map((one) => one.tiles?.count ?? null),
    count,
  );
  const bytes = Math.max(...found.map((one) => (one.device_bytes ?? 0) + (one.host_bytes ?? 0)));
  const waitS = found[0]?.wait_seconds ?? 0;
  if (seconds === null) return <span className="pm-quiet">{t('estimate.unknown')}</span>;
  const parts = [
    t('estimate.time', { time: formatSeconds(seconds, t) }),
    count > 1 ? t('estimate.total', { count }) : null,
    tiles === null ? null : t('estimate.tiles', { count: Math.round(tiles) }),
    bytes > 0 ? t('estimate.memory', { size: formatBytes(bytes) }) : null,
    waitS > 1 ? t('estimate.wait', { time: formatSeconds(waitS, t) }) : null,
  ];
  return <span className="pm-quiet pm-number">{parts.filter(Boolean).join(' · ')}</span>;
}

/** The sum for `count` images, from the mean of the known values; null if one of them is unknown. */
function meanTimes(values: readonly (number | null)[], count: number): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return (sum / values.length) * count;
}
