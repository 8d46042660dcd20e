import { Switch, Table } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useServices } from '../../state/services';
import type { Api, ModelInfo } from '../../api/client';
import { messageOf } from '../../lib/message';
import { MessageText } from '../../ui/MessageText';
import type { ModelAction } from './modelAction';
import { ModelRow } from './ModelRow';
import classes from './System.module.css';

const PERIOD_MS = 3000;
/** Used during a download, so that its progress bar moves. */
const DOWNLOAD_PERIOD_MS = 500;

export function ModelsCard() {
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

function isDownloading(model: ModelInfo): boolean {
  return model.download?.state === 'running';
}

function act(api: Api, id: string, action: ModelAction): Promise<ModelInfo> {
  if (action === 'download') return api.downloadModel(id);
  if (action === 'stopDownload') return api.stopDownload(id);
  return api.administerModel(id, action);
}
