import { Badge, Button, Group, Switch, Table } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ModelInfo } from '../../api/client';
import { useServices } from '../../app/services';
import { messageOf } from '../../state/message';
import { formatBytes } from '../../ui/format';
import { MessageText } from '../../ui/MessageText';
import classes from './System.module.css';

const PERIOD_MS = 3000;
type Action = 'load' | 'unload' | 'pin' | 'unpin';

export function ModelsCard() {
  const { t } = useTranslation();
  const { api } = useServices();
  const cache = useQueryClient();
  const [isAll, setAll] = useState(false);
  const models = useQuery({
    queryKey: ['service', 'models'],
    queryFn: api.models,
    refetchInterval: PERIOD_MS,
  });
  const change = useMutation({
    mutationFn: ({ id, action }: { id: string; action: Action }) => api.administerModel(id, action),
    onSettled: () => cache.invalidateQueries({ queryKey: ['service'] }),
  });
  const shown = (models.data ?? []).filter((model) => isAll || model.present);
  return (
    <div className={`pm-card ${classes.card} ${classes.wide}`}>
      <h2 className={classes.title}>
        {t('system.models')}
        <Switch
          size="sm"
          label={t('system.onlyHere')}
          checked={isAll}
          onChange={(event) => setAll(event.currentTarget.checked)}
        />
      </h2>
      {change.isError && (
        <p className={classes.empty} role="alert">
          <MessageText message={messageOf(change.error)} />
        </p>
      )}
      <div className={classes.table}>
        <Table verticalSpacing={8} data-testid="models">
          <Table.Thead>
            <Table.Tr>
              {['model', 'task', 'scale', 'state', 'takes', 'actions'].map((name) => (
                <Table.Th key={name}>{t(`system.${name}`)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((model) => (
              <ModelRow
                key={model.id}
                model={model}
                isBusy={change.isPending && change.variables.id === model.id}
                onAct={(action) => change.mutate({ id: model.id, action })}
              />
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </div>
  );
}

interface RowProps {
  model: ModelInfo;
  isBusy: boolean;
  onAct: (action: Action) => void;
}

function ModelRow({ model, isBusy, onAct }: RowProps) {
  const { t } = useTranslation();
  const actions: Action[] = [model.loaded ? 'unload' : 'load', model.pinned ? 'unpin' : 'pin'];
  const known: Partial<Record<string, string>> = {
    upscale: t('system.tasks.upscale'),
    inpaint: t('system.tasks.inpaint'),
  };
  return (
    <Table.Tr data-model={model.id}>
      <Table.Td>
        {model.id}
        <div className={classes.modelTitle}>
          {[model.title === model.id ? null : model.title, model.licence].filter(Boolean).join(' · ')}
        </div>
        {model.problem && <div className={classes.modelTitle}>{model.problem}</div>}
      </Table.Td>
      <Table.Td>{known[model.task] ?? model.task}</Table.Td>
      <Table.Td>{model.scale ? `×${model.scale}` : '–'}</Table.Td>
      <Table.Td>
        <States model={model} />
      </Table.Td>
      <Table.Td className="pm-number">{model.bytes ? formatBytes(model.bytes) : '–'}</Table.Td>
      <Table.Td>
        {model.present ? (
          <Group gap={6} wrap="nowrap">
            {actions.map((action) => (
              <Button
                key={action}
                size="compact-sm"
                variant="default"
                loading={isBusy}
                aria-label={t('system.modelAction', { action: t(`system.${action}`), id: model.id })}
                onClick={() => onAct(action)}
              >
                {t(`system.${action}`)}
              </Button>
            ))}
          </Group>
        ) : (
          <span className={classes.modelTitle}>{t('system.absentHint', { id: model.id })}</span>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function States({ model }: { model: ModelInfo }) {
  const { t } = useTranslation();
  const main = !model.present ? 'absent' : model.loaded ? 'loaded' : 'notLoaded';
  return (
    <Group gap={4}>
      <Badge tt="none" variant={model.loaded ? 'filled' : 'default'} color={model.loaded ? 'mend' : 'gray'}>
        {t(`system.${main}`)}
        {model.loaded && model.precision ? ` · ${model.precision}` : ''}
      </Badge>
      {model.pinned && (
        <Badge tt="none" variant="default">
          {t('system.pinned')}
        </Badge>
      )}
      {model.leases > 0 && (
        <Badge tt="none" variant="default">
          {t('system.inUse')}
        </Badge>
      )}
    </Group>
  );
}
