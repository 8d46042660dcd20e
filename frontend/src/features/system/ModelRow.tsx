import { Badge, Button, Checkbox, Group, Table } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { ModelInfo } from '../../api/client';
import { problemMessage } from '../../lib/message';
import { formatBytes, formatSeconds } from '../../lib/format';
import { MessageText } from '../../ui/MessageText';
import { isBuiltIn, isSelectable, type ModelProps } from './modelAction';
import { ModelDownload } from './ModelDownload';
import classes from './System.module.css';

interface Props extends ModelProps {
  isSelected: boolean;
  onSelect: (isSelected: boolean) => void;
}

export function ModelRow({ model, isBusy, onAct, isSelected, onSelect }: Props) {
  const { t } = useTranslation();
  const actions = [model.loaded ? 'unload' : 'load', model.pinned ? 'unpin' : 'pin'] as const;
  const known: Partial<Record<string, string>> = {
    upscale: t('system.tasks.upscale'),
    inpaint: t('system.tasks.inpaint'),
  };
  return (
    <Table.Tr data-model={model.id}>
      <Table.Td>
        {isSelectable(model) ? (
          <Checkbox
            size="sm"
            label={model.id}
            checked={isSelected}
            onChange={(event) => onSelect(event.currentTarget.checked)}
          />
        ) : (
          model.id
        )}
        <div className={classes.modelTitle}>
          {[model.title === model.id ? null : model.title, model.licence].filter(Boolean).join(' · ')}
        </div>
        {model.problem && <div className={classes.modelTitle}>{model.problem}</div>}
        {model.download?.problem && (
          <div className={classes.failure} role="alert">
            <MessageText message={problemMessage(model.download.problem)} />
          </div>
        )}
      </Table.Td>
      <Table.Td>{known[model.task] ?? model.task}</Table.Td>
      <Table.Td>{model.scale ? `×${model.scale}` : '–'}</Table.Td>
      <Table.Td>
        <States model={model} />
        <Keepers model={model} />
      </Table.Td>
      <Table.Td className="pm-number" data-empty={!model.bytes}>
        {model.bytes ? formatBytes(model.bytes) : '–'}
      </Table.Td>
      <Table.Td>
        {isBuiltIn(model) ? (
          <span className={classes.modelTitle}>{t('system.alwaysReady')}</span>
        ) : !model.present || model.download ? (
          <ModelDownload model={model} isBusy={isBusy} onAct={onAct} />
        ) : (
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
        )}
      </Table.Td>
    </Table.Tr>
  );
}

/** Where a model is open, since when it was not used, and which profiles keep it. */
function Keepers({ model }: { model: ModelInfo }) {
  const { t } = useTranslation();
  const parts = [
    model.devices.join(', '),
    model.idle_s === null ? '' : t('system.idle', { time: formatSeconds(model.idle_s, t) }),
    model.profiles.length > 0 ? t('system.keptBy', { profiles: model.profiles.join(', ') }) : '',
  ];
  return <div className={classes.modelTitle}>{parts.filter(Boolean).join(' · ')}</div>;
}

function States({ model }: { model: ModelInfo }) {
  const { t } = useTranslation();
  const main = !model.present ? 'absent' : model.loaded ? 'loaded' : 'notLoaded';
  return (
    <Group gap={4}>
      <Badge
        tt="none"
        miw="max-content"
        variant={model.loaded ? 'filled' : 'default'}
        color={model.loaded ? 'mend' : 'gray'}
      >
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
