import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { MemoryView } from '../../api/client';
import classes from './System.module.css';

const MAX_SHOWN = 8;

/** Current alerts, then earlier ones, the newest first. */
export function AlertsCard({ memory }: { memory: MemoryView | undefined }) {
  const { t, i18n } = useTranslation();
  const time = new Intl.DateTimeFormat(i18n.language, { timeStyle: 'medium' });
  const raised = (memory?.devices ?? []).flatMap((device) => device.raised);
  const isUp = (alert: { kind: string; time_s: number }) =>
    raised.some((one) => one.kind === alert.kind && one.time_s === alert.time_s);
  const past = (memory?.devices ?? [])
    .flatMap((device) => device.alerts)
    .filter((alert) => !isUp(alert))
    .sort((a, b) => b.time_s - a.time_s);
  const shown = [...raised, ...past].slice(0, MAX_SHOWN);
  return (
    <div className={`pm-card ${classes.card} ${classes.wide}`}>
      <h2 className={classes.title}>{t('system.alerts')}</h2>
      {shown.length === 0 && <p className={classes.empty}>{t('system.noAlerts')}</p>}
      <ul className={classes.list} aria-live="polite">
        {shown.map((alert) => {
          const Icon = isUp(alert) ? IconAlertTriangle : IconCircleCheck;
          const key = alert.state === 'raised' ? 'system.raised' : 'system.cleared';
          return (
            <li key={`${alert.kind}-${alert.state}-${alert.time_s}`} style={{ display: 'flex', gap: 8 }}>
              <Icon size={18} color={isUp(alert) ? '#d9822b' : 'var(--pm-quiet)'} aria-hidden />
              <span>
                {alert.message}
                <span className={classes.modelTitle}>
                  {' '}
                  {t(key, { time: time.format(new Date(alert.time_s * 1000)) })}
                </span>
              </span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
