import { Button } from '@mantine/core';
import { IconArrowsMaximize, IconFlask, IconPlayerStop } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { targetSize } from '../../processing/targetSize';
import { useDials } from '../../state/hooks';
import { isActive, type QueueItem } from '../../state/queue';
import { useServices, useSettings } from '../../state/services';
import { upscaleOptionsOf, upscalingOf, upscalingRecipes, upscalingSettings } from '../../state/upscaling';
import { RecipeSelect } from '../../ui/RecipeSelect';
import { SizeFields } from '../../ui/SizeFields';
import { useShortcuts } from '../../ui/useShortcuts';
import { Estimate } from './Estimate';
import { FormatFields } from './FormatFields';
import { ModelFields } from './ModelFields';
import workbench from '../../ui/Workbench.module.css';

const CropTrial = lazy(() => import('./CropTrial'));

interface Props {
  items: readonly QueueItem[];
  selected: QueueItem | null;
}

/** The options of the results, an estimate of what they take, and the button that starts. */
export function OptionsPanel({ items, selected }: Props) {
  const { t } = useTranslation();
  const [isTrying, setTrying] = useState(false);
  const [settings, change] = useSettings(upscalingSettings);
  const { widthPx, heightPx } = selected?.probe ?? { widthPx: null, heightPx: null };
  const result =
    widthPx && heightPx ? targetSize({ widthPx, heightPx }, upscalingOf(settings, []).target) : null;
  const canTry = selected !== null && selected.thumbnail !== null;
  return (
    <div className={`pm-card ${workbench.options}`}>
      <div className={workbench.fields}>
        <h2 style={{ fontSize: 14, fontWeight: 600, margin: 0 }}>{t('options.title')}</h2>
        <RecipeSelect form={upscalingRecipes} />
        <SizeFields sizing={settings} onChange={change} result={result} />
        <ModelFields />
        <Button
          variant="default"
          disabled={!canTry}
          leftSection={<IconFlask size={17} stroke={1.75} />}
          onClick={() => setTrying(true)}
        >
          {t('options.tryCrop')}
        </Button>
        <FormatFields />
      </div>
      <StartBox items={items} selected={selected} />
      {isTrying && canTry && (
        <Suspense fallback={null}>
          <CropTrial item={selected} onClose={() => setTrying(false)} />
        </Suspense>
      )}
    </div>
  );
}

function StartBox({ items, selected }: Props) {
  const { t } = useTranslation();
  const { queue, runner } = useServices();
  const [settings] = useSettings(upscalingSettings);
  const dials = useDials(settings.model);
  const pending = items.filter((item) => ['ready', 'failed', 'cancelled'].includes(item.state));
  const active = items.filter(isActive);
  const repeated = pending.length === 0 && selected?.state === 'done' ? [selected] : [];
  const targets = pending.length > 0 ? pending : repeated;
  const start = () =>
    queue.dispatch({
      type: 'submitted',
      ids: targets.map((item) => item.id),
      options: upscaleOptionsOf(settings, dials),
    });
  useShortcuts({ 'Ctrl+Enter': start });
  const label =
    repeated.length > 0
      ? t('options.again')
      : pending.length > 0
        ? t('options.start', { count: pending.length })
        : t('options.startNone');
  return (
    <div className={workbench.start}>
      <Estimate items={targets} />
      {active.length > 0 && targets.length === 0 ? (
        <Button
          size="md"
          variant="default"
          leftSection={<IconPlayerStop size={18} stroke={1.75} />}
          onClick={() => active.forEach((item) => runner.cancel(item.id))}
        >
          {t('options.cancelAll')}
        </Button>
      ) : (
        <Button
          size="md"
          disabled={targets.length === 0}
          leftSection={<IconArrowsMaximize size={18} stroke={1.75} />}
          onClick={start}
          data-testid="start"
        >
          {label}
        </Button>
      )}
    </div>
  );
}
