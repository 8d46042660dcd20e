import { Button, Group } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { ManyAction } from './modelAction';

interface Props {
  count: number;
  isBusy: boolean;
  onAct: (action: ManyAction) => void;
}

const ACTIONS = ['load', 'unload', 'pin', 'unpin'] as const;

/** Does the same with several models. */
export function SelectedModels({ count, isBusy, onAct }: Props) {
  const { t } = useTranslation();
  return (
    <Group gap={6} role="group" aria-label={t('system.selected', { count })} mb={8}>
      <span className="pm-quiet">{t('system.selected', { count })}</span>
      {ACTIONS.map((action) => (
        <Button
          key={action}
          size="compact-sm"
          variant="default"
          disabled={count === 0}
          loading={isBusy}
          aria-label={t('system.manyAction', { action: t(`system.${action}`), count })}
          onClick={() => onAct(action)}
        >
          {t(`system.${action}`)}
        </Button>
      ))}
    </Group>
  );
}
