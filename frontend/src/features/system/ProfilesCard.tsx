import { Badge, Button, Group } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Profile } from '../../api/client';
import { useServices } from '../../state/services';
import { messageOf } from '../../lib/message';
import { MessageText } from '../../ui/MessageText';
import { ProfileForm } from './ProfileForm';
import classes from './System.module.css';

interface Props {
  selected: readonly string[];
  devices: readonly string[];
}

type Action = 'preload' | 'release' | 'remove';

export function ProfilesCard({ selected, devices }: Props) {
  const { t } = useTranslation();
  const { api } = useServices();
  const cache = useQueryClient();
  const profiles = useQuery({ queryKey: ['service', 'profiles'], queryFn: api.profiles });
  const change = useMutation({
    mutationFn: async ({ name, action }: { name: string; action: Action }) => {
      if (action === 'remove') await api.removeProfile(name);
      else await api.administerProfile(name, action);
    },
    onSettled: () => cache.invalidateQueries({ queryKey: ['service'] }),
  });
  return (
    <div className={`pm-card ${classes.card}`}>
      <h2 className={classes.title}>{t('system.profiles')}</h2>
      {change.isError && (
        <p className={classes.empty} role="alert">
          <MessageText message={messageOf(change.error)} />
        </p>
      )}
      {profiles.data?.length === 0 && <p className={classes.empty}>{t('system.noProfiles')}</p>}
      <ul className={classes.list}>
        {(profiles.data ?? []).map((profile) => {
          const action = profile.active ? 'release' : 'preload';
          return (
            <li key={profile.name}>
              <Group justify="space-between" wrap="nowrap">
                <div>
                  <strong>{profile.name}</strong>{' '}
                  <Badge tt="none" variant={profile.active ? 'filled' : 'default'} color="mend">
                    {t(profile.active ? 'system.active' : 'system.inactive')}
                  </Badge>
                  <div className={classes.modelTitle}>
                    {profile.models.map((model) => placed(model, profile)).join(', ')} ·{' '}
                    {t('system.priority', { priority: profile.priority })}
                    {profile.read_only && ` · ${t('system.readOnly')}`}
                  </div>
                </div>
                <Group gap={6} wrap="nowrap">
                  {([action, ...(profile.read_only ? [] : ['remove' as const])] as const).map((each) => (
                    <Button
                      key={each}
                      size="compact-sm"
                      variant="default"
                      loading={change.isPending && change.variables.name === profile.name}
                      aria-label={t('system.modelAction', { action: t(`system.${each}`), id: profile.name })}
                      onClick={() => change.mutate({ name: profile.name, action: each })}
                    >
                      {t(`system.${each}`)}
                    </Button>
                  ))}
                </Group>
              </Group>
            </li>
          );
        })}
      </ul>
      <h3 className={classes.title} style={{ margin: '14px 0 6px' }}>
        {t('system.newProfile')}
      </h3>
      <ProfileForm models={selected} devices={devices} />
    </div>
  );
}

/** A model, with the device and the priority that the profile names for it. */
function placed(model: string, profile: Profile): string {
  const { device, priority } = profile.placements?.[model] ?? {};
  const parts = [device, priority].filter((part) => part !== null && part !== undefined);
  return parts.length > 0 ? `${model} (${parts.join(', ')})` : model;
}
