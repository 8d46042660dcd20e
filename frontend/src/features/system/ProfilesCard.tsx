import { Badge, Button, Group } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useServices } from '../../state/services';
import { messageOf } from '../../lib/message';
import { MessageText } from '../../ui/MessageText';
import classes from './System.module.css';

export function ProfilesCard() {
  const { t } = useTranslation();
  const { api } = useServices();
  const cache = useQueryClient();
  const profiles = useQuery({ queryKey: ['service', 'profiles'], queryFn: api.profiles });
  const change = useMutation({
    mutationFn: ({ name, action }: { name: string; action: 'preload' | 'release' }) =>
      api.administerProfile(name, action),
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
                    {profile.models.join(', ')} · {t('system.priority', { priority: profile.priority })}
                  </div>
                </div>
                <Button
                  size="compact-sm"
                  variant="default"
                  loading={change.isPending && change.variables.name === profile.name}
                  onClick={() => change.mutate({ name: profile.name, action })}
                >
                  {t(`system.${action}`)}
                </Button>
              </Group>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
