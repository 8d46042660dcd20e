import { SegmentedControl } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { MemoryView } from '../../api/client';
import { formatBytes, formatSeconds } from '../../lib/format';
import { Plot } from './Plot';
import classes from './System.module.css';

interface Props {
  memory: MemoryView | undefined;
  minutes: number;
  /** How many points of the history are drawn, at most. */
  points: number;
  onMinutes: (minutes: number) => void;
}

const CHOICES = [10, 60];

/** Memory, utilisation and temperature of each device over time. */
export function MemoryCard({ memory, minutes, points, onMinutes }: Props) {
  const { t } = useTranslation();
  // A line breaks if more than two samples in a row are missing.
  const gapS = Math.max(memory?.interval_s ?? 2, (60 * minutes) / points) * 3.5;
  return (
    <div className={`pm-card ${classes.card}`} style={{ minHeight: 260 }}>
      <SegmentedControl
        size="xs"
        mb={10}
        aria-label={t('system.history')}
        value={String(minutes)}
        onChange={(value) => onMinutes(Number(value))}
        data={CHOICES.map((choice) => ({
          value: String(choice),
          label: formatSeconds(60 * choice, t),
        }))}
      />
      {memory?.enabled === false && (
        <>
          <h2 className={classes.title}>{t('system.memory')}</h2>
          <p className={classes.empty}>{t('system.monitoringOff')}</p>
        </>
      )}
      {memory?.enabled !== false &&
        (memory?.devices ?? []).map((device) => {
          const history = device.history.map((point) => ({ ...point, timeS: point.time_s }));
          const of = (value: (point: (typeof history)[number]) => number | null) =>
            history.map((point) => ({ timeS: point.timeS, value: value(point) }));
          const hasTemperature = history.some((point) => point.temperature_c !== null);
          return (
            <div key={device.index}>
              <h2 className={classes.title}>
                {t('system.memory')}
                {(memory?.devices.length ?? 0) > 1 && (
                  <span className="pm-quiet">{`${device.name} · ${device.device}`}</span>
                )}
              </h2>
              <Plot
                gapS={gapS}
                format={formatBytes}
                ceiling={device.now?.ceiling_bytes ?? null}
                lines={[
                  {
                    name: t('system.used'),
                    colour: '#4a7fd6',
                    samples: of((point) => point.device_used_bytes),
                  },
                  { name: t('system.worker'), colour: '#9a6bd0', samples: of((point) => point.worker_bytes) },
                  {
                    name: t('system.modelsMemory'),
                    colour: '#14a38b',
                    samples: of((point) => point.accounted_bytes),
                  },
                  {
                    name: t('system.host'),
                    colour: '#b0873a',
                    samples: of((point) => point.host_used_bytes),
                  },
                ]}
              />
              <h3 className={classes.title} style={{ margin: '14px 0 6px' }}>
                {t('system.utilisation')}
              </h3>
              {history.some((point) => point.utilisation_percent !== null) ? (
                <Plot
                  gapS={gapS}
                  format={(value) => `${Math.round(value)} %`}
                  ceiling={null}
                  lines={[
                    {
                      name: t('system.utilisation'),
                      colour: '#4a7fd6',
                      samples: of((point) => point.utilisation_percent),
                    },
                  ]}
                />
              ) : (
                <p className={classes.empty}>{t('system.noUtilisation')}</p>
              )}
              <h3 className={classes.title} style={{ margin: '14px 0 6px' }}>
                {t('system.temperature')}
              </h3>
              {hasTemperature ? (
                <Plot
                  gapS={gapS}
                  format={(value) => `${Math.round(value)} °C`}
                  ceiling={null}
                  lines={[
                    {
                      name: t('system.temperature'),
                      colour: '#d9534f',
                      samples: of((point) => point.temperature_c),
                    },
                  ]}
                />
              ) : (
                <p className={classes.empty}>{t('system.noTemperature')}</p>
              )}
            </div>
          );
        })}
    </div>
  );
}
