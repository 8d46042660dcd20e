import { Badge } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Health, Info } from '../../api/client';
import { formatBytes } from '../../lib/format';
import { Facts } from './Facts';
import classes from './System.module.css';

const COLOURS = { healthy: 'teal.9', degraded: 'orange.9', unhealthy: 'red.9' } as const;

export function DeviceCard({ health, info }: { health: Health | undefined; info: Info | undefined }) {
  const { t } = useTranslation();
  const device = health?.device;
  return (
    <div className={`pm-card ${classes.card}`}>
      <h2 className={classes.title}>
        {t('system.devices')}
        {health && (
          <Badge color={COLOURS[health.status]} variant="filled" tt="none">
            {t(`system.status.${health.status}`)}
          </Badge>
        )}
      </h2>
      <Facts
        facts={[
          [device?.type?.toUpperCase() ?? '…', device?.name ?? '…'],
          [t('system.memory'), device?.total_bytes ? formatBytes(device.total_bytes) : '…'],
          [t('system.queued'), health?.queued ?? '…'],
          [t('system.running'), health?.running ?? '…'],
          [t('system.restarts'), health?.worker_restarts ?? '…'],
          [t('system.version'), info?.version ?? '…'],
        ]}
      />
      {health?.reasons.map((reason) => (
        <p key={reason} className={classes.empty} style={{ marginTop: 10 }}>
          {reason}
        </p>
      ))}
    </div>
  );
}
