import { Button, Group, NumberInput, Switch } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ManagedSetting } from '../../api/client';
import { messageOf } from '../../lib/message';
import { useServices } from '../../state/services';
import { MessageText } from '../../ui/MessageText';
import { changesOf, type Draft, inOrder, rangeProblem, type Value } from './management';
import classes from './System.module.css';

/** The settings of memory, which count at once and until the service is started again. */
export function ManagementCard() {
  const { t } = useTranslation();
  const { api } = useServices();
  const cache = useQueryClient();
  const [draft, setDraft] = useState<Draft>({});
  const management = useQuery({ queryKey: ['service', 'management'], queryFn: api.management });
  const change = useMutation({
    mutationFn: api.manage,
    onSuccess: (answer) => {
      cache.setQueryData(['service', 'management'], answer);
      setDraft({});
    },
    onSettled: () => cache.invalidateQueries({ queryKey: ['service'] }),
  });
  const settings = management.data?.settings ?? {};
  const changes = changesOf(settings, draft);
  return (
    <div className={`pm-card ${classes.card}`} data-testid="management">
      <h2 className={classes.title}>{t('system.management')}</h2>
      {(change.isError || management.isError) && (
        <p className={classes.failure} role="alert">
          <MessageText message={messageOf(change.error ?? management.error)} />
        </p>
      )}
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (changes) change.mutate(changes);
        }}
      >
        {inOrder(settings).map(([name, setting]) => (
          <Field
            key={name}
            name={name}
            setting={setting}
            value={draft[name] ?? setting.value}
            onChange={(value) => setDraft({ ...draft, [name]: value })}
          />
        ))}
        <p className={classes.empty}>{t('system.untilRestart')}</p>
        <Group gap={8}>
          <Button type="submit" size="compact-md" disabled={!changes} loading={change.isPending}>
            {t('system.apply')}
          </Button>
          <Button
            size="compact-md"
            variant="default"
            disabled={Object.keys(draft).length === 0}
            onClick={() => setDraft({})}
          >
            {t('system.discard')}
          </Button>
        </Group>
      </form>
    </div>
  );
}

interface FieldProps {
  name: string;
  setting: ManagedSetting;
  value: Value | string;
  onChange: (value: Value | string) => void;
}

function Field({ name, setting, value, onChange }: FieldProps) {
  const { t } = useTranslation();
  const label = t(`system.managed.${name}`, { defaultValue: name });
  if (typeof setting.value === 'boolean') {
    return (
      <Switch
        size="sm"
        label={label}
        checked={value === true}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    );
  }
  const problem = rangeProblem(setting, value);
  const isChanged = setting.value !== setting.configured;
  return (
    <NumberInput
      size="sm"
      label={label}
      description={isChanged ? t('system.configured', { value: setting.configured }) : undefined}
      value={typeof value === 'boolean' ? '' : value}
      min={setting.range?.minimum ?? undefined}
      max={setting.range?.maximum ?? undefined}
      clampBehavior="none"
      suffix={setting.unit ? t(`system.unit.${setting.unit}`) : undefined}
      error={problem && t(problem.key, problem.values)}
      onChange={onChange}
    />
  );
}
