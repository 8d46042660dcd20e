import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { InstanceView } from '../../api/client';
import { formatBytes } from '../../lib/format';
import { useServices } from '../../state/services';
import classes from './System.module.css';

const PERIOD_MS = 10_000;

/** Each service of the installation; nothing is shown if there is only this one. */
export function InstancesCard() {
  const { t } = useTranslation();
  const { api } = useServices();
  const instances = useQuery({
    queryKey: ['service', 'instances'],
    queryFn: api.instances,
    refetchInterval: PERIOD_MS,
  });
  const shown = instances.data ?? [];
  if (shown.length < 2) return null;
  return (
    <div className={`pm-card ${classes.card} ${classes.wide}`} data-testid="instances">
      <h2 className={classes.title}>{t('system.instances')}</h2>
      <ul className={classes.list}>
        {shown.map((instance) => (
          <li key={instance.url ?? ''}>
            <strong>{instance.instance?.id ?? instance.url}</strong>{' '}
            <span className={classes.modelTitle}>
              {instance.url === null ? t('system.thisOne') : instance.instance && instance.url}
            </span>
            {instance.problem && (
              <div className={classes.failure} role="alert">
                {instance.problem}
              </div>
            )}
            <Devices instance={instance} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Devices({ instance }: { instance: InstanceView }) {
  const { t } = useTranslation();
  return (instance.memory?.devices ?? []).map((device) => {
    const opened = instance.models.filter((model) => model.devices.includes(device.device));
    const parts = [
      device.name ?? device.device,
      device.now &&
        t('system.usedOf', {
          used: formatBytes(device.now.device_used_bytes),
          total: formatBytes(device.now.device_capacity_bytes),
        }),
      opened.map((model) => model.id).join(', ') || t('system.notLoaded'),
    ];
    return (
      <div key={device.index} className={classes.modelTitle}>
        {parts.filter(Boolean).join(' · ')}
      </div>
    );
  });
}
