import { Button, Group, Switch } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FreedView } from '../../api/client';
import { formatBytes } from '../../lib/format';
import { messageOf } from '../../lib/message';
import { useServices } from '../../state/services';
import { MessageText } from '../../ui/MessageText';
import classes from './System.module.css';

/** Gives memory back at once, and says what became free and what stays. */
export function FreeMemory() {
  const { t } = useTranslation();
  const { api } = useServices();
  const cache = useQueryClient();
  const [force, setForce] = useState(false);
  const free = useMutation({
    mutationFn: (action: 'free' | 'unload') =>
      action === 'free' ? api.freeMemory() : api.unloadAllModels(force),
    onSettled: () => cache.invalidateQueries({ queryKey: ['service'] }),
  });
  const button = (action: 'free' | 'unload', text: string) => (
    <Button
      size="compact-sm"
      variant="default"
      loading={free.isPending && free.variables === action}
      onClick={() => free.mutate(action)}
    >
      {text}
    </Button>
  );
  return (
    <div className={classes.actions}>
      <Group gap={8}>
        {button('free', t('system.freeMemory'))}
        {button('unload', t('system.unloadAll'))}
        <Switch
          size="sm"
          label={t('system.force')}
          checked={force}
          onChange={(event) => setForce(event.currentTarget.checked)}
        />
      </Group>
      <div role="status" className={classes.empty}>
        {free.isError && <MessageText message={messageOf(free.error)} />}
        {free.data && !free.isPending && <Freed freed={free.data} />}
      </div>
    </div>
  );
}

function Freed({ freed }: { freed: FreedView }) {
  const { t } = useTranslation();
  const names = [...new Set(freed.devices.flatMap((device) => device.models.map((model) => model.model)))];
  const kept = [...new Set(freed.devices.flatMap((device) => device.kept.map((model) => model.model)))];
  const problems = freed.devices.flatMap((device) => (device.problem ? [device.problem.detail] : []));
  return (
    <>
      {names.length > 0
        ? t('system.freed', { size: formatBytes(freed.bytes), models: names.join(', ') })
        : t('system.nothingFreed')}
      {kept.length > 0 && ` ${t('system.stays', { models: kept.join(', ') })}`}
      {problems.map((problem) => ` ${problem}`)}
    </>
  );
}
