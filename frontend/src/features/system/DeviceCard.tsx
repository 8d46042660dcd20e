import { Badge } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Health, Info, MemoryView } from '../../api/client';
import { formatBytes } from '../../lib/format';
import { Facts } from './Facts';
import classes from './System.module.css';

const COLOURS = { healthy: 'teal.9', degraded: 'orange.9', unhealthy: 'red.9' } as const;

interface Props {
  health: Health | undefined;
  info: Info | undefined;
  memory: MemoryView | undefined;
}

/** What computes, how the service is, and which service answered. */
export function DeviceCard({ health, info, memory }: Props) {
  const { t } = useTranslation();
  const device = health?.device;
  const instance = memory?.instance;
  const now = memory?.devices[0]?.now;
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
          [
            t('system.hostMemory'),
            now
              ? t('system.usedOf', {
                  used: formatBytes(now.host_used_bytes),
                  total: formatBytes(now.host_total_bytes),
                })
              : '…',
          ],
          [t('system.instance'), instance ? `${instance.id} (${instance.host}:${instance.port})` : '…'],
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
