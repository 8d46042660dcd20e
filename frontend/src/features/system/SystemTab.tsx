import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useInfo } from '../../state/hooks';
import { useGeneralSettings, useServices } from '../../state/services';
import { AlertsCard } from './AlertsCard';
import { DeviceCard } from './DeviceCard';
import { InstancesCard } from './InstancesCard';
import { ManagementCard } from './ManagementCard';
import { MemoryCard } from './MemoryCard';
import { ModelsCard } from './ModelsCard';
import { ProfilesCard } from './ProfilesCard';
import { SettingsCard } from './SettingsCard';
import classes from './System.module.css';

const HEALTH_PERIOD_MS = 3000;
const MEMORY_PERIOD_MS = 2000;
const POINTS = 300;

/** Shows what the service runs on, which models it has, and how it is set. */
export default function SystemTab() {
  const { t } = useTranslation();
  const { api, build } = useServices();
  const [{ preference }] = useGeneralSettings();
  const enabled = !build.browserOnly && preference !== 'browser';
  const [minutes, setMinutes] = useState(10);
  const [selected, setSelected] = useState<readonly string[]>([]);
  const health = useQuery({
    queryKey: ['service', 'health'],
    queryFn: api.health,
    refetchInterval: HEALTH_PERIOD_MS,
    enabled,
  });
  const memory = useQuery({
    queryKey: ['service', 'memory', minutes],
    queryFn: () => api.memory(POINTS, minutes),
    placeholderData: keepPreviousData,
    refetchInterval: MEMORY_PERIOD_MS,
    enabled,
  });
  const info = useInfo();
  if (!enabled || health.isError) {
    return (
      <section className={classes.tab} aria-label={t('app.system')}>
        <div className={`pm-card ${classes.card} ${classes.wide}`}>
          <p className={classes.empty}>{t('system.noService')}</p>
        </div>
      </section>
    );
  }
  return (
    <section className={classes.tab} aria-label={t('app.system')}>
      <DeviceCard health={health.data} info={info.data} memory={memory.data} />
      <MemoryCard memory={memory.data} minutes={minutes} points={POINTS} onMinutes={setMinutes} />
      <InstancesCard />
      <ModelsCard selected={selected} onSelect={setSelected} />
      <ManagementCard />
      <ProfilesCard selected={selected} devices={(memory.data?.devices ?? []).map(({ device }) => device)} />
      <AlertsCard memory={memory.data} />
      <SettingsCard info={info.data} memory={memory.data} />
    </section>
  );
}
