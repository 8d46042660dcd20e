import { Switch, Table } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useServices } from '../../state/services';
import type { Api, ModelInfo } from '../../api/client';
import { messageOf } from '../../lib/message';
import { MessageText } from '../../ui/MessageText';
import { FreeMemory } from './FreeMemory';
import { type ManyAction, type ModelAction } from './modelAction';
import { ModelRow } from './ModelRow';
import { SelectedModels } from './SelectedModels';
import classes from './System.module.css';

const PERIOD_MS = 3000;
/** Used during a download, so that its progress bar moves. */
const DOWNLOAD_PERIOD_MS = 500;

interface Props {
  selected: readonly string[];
  onSelect: (ids: readonly string[]) => void;
}

export function ModelsCard({ selected, onSelect }: Props) {
  const { t } = useTranslation();
  const { api } = useServices();
  const cache = useQueryClient();
  const [isAll, setAll] = useState(false);
  const models = useQuery({
    queryKey: ['service', 'models'],
    queryFn: api.models,
    refetchInterval: ({ state }) => (state.data?.some(isDownloading) ? DOWNLOAD_PERIOD_MS : PERIOD_MS),
  });
  const change = useMutation({
    mutationFn: ({ id, action }: { id: string; action: ModelAction }) => act(api, id, action),
    onSettled: () => cache.invalidateQueries({ queryKey: ['service'] }),
  });
  // One after the other, so that what one needs is not taken from the next; the first refusal ends it.
  const changeMany = useMutation({
    mutationFn: async (action: ManyAction) => {
      for (const id of selected) await api.administerModel(id, action);
    },
    onSettled: () => cache.invalidateQueries({ queryKey: ['service'] }),
  });
  const error = change.error ?? changeMany.error;
  const shown = (models.data ?? []).filter((model) => isAll || model.present || model.download);
  return (
    <div className={`pm-card ${classes.card} ${classes.wide}`}>
      <h2 className={classes.title}>
        {t('system.models')}
        <Switch
          size="sm"
          label={t('system.showAbsent')}
          checked={isAll}
          onChange={(event) => setAll(event.currentTarget.checked)}
        />
      </h2>
      {error && (
        <p className={classes.empty} role="alert">
          <MessageText message={messageOf(error)} />
        </p>
      )}
      <SelectedModels
        count={selected.length}
        isBusy={changeMany.isPending}
        onAct={(action) => {
          change.reset();
          changeMany.mutate(action);
        }}
      />
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
                isSelected={selected.includes(model.id)}
                onSelect={(isSelected) => onSelect(selection(selected, model.id, isSelected))}
                onAct={(action) => {
                  changeMany.reset();
                  change.mutate({ id: model.id, action });
                }}
              />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <FreeMemory />
    </div>
  );
}

function selection(selected: readonly string[], id: string, isSelected: boolean): readonly string[] {
  const others = selected.filter((other) => other !== id);
  return isSelected ? [...others, id] : others;
}

function isDownloading(model: ModelInfo): boolean {
  return model.download?.state === 'running';
}

function act(api: Api, id: string, action: ModelAction): Promise<ModelInfo> {
  if (action === 'download') return api.downloadModel(id);
  if (action === 'stopDownload') return api.stopDownload(id);
  return api.administerModel(id, action);
}
