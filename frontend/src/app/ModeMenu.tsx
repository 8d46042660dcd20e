import { Button, Popover } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './App.module.css';
import { useMode } from '../state/hooks';

const ModePanel = lazy(() => import('./ModePanel'));

/** Shows what computes now, and opens the choice of it. */
export function ModeMenu() {
  const { t } = useTranslation();
  const mode = useMode();
  const names = {
    server: 'mode.server',
    browser: 'mode.browser',
    none: 'mode.offline',
    unknown: 'mode.checking',
  };
  return (
    <Popover position="bottom-end" width={320} trapFocus shadow="md">
      <Popover.Target>
        <Button
          variant="default"
          size="compact-md"
          radius="xl"
          fw={500}
          fz={13}
          leftSection={<span className={classes.dot} data-mode={mode} />}
          aria-label={`${t('mode.title')}: ${t(names[mode])}`}
          data-testid="mode"
          data-mode={mode}
        >
          {t(names[mode])}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Suspense fallback={null}>
          <ModePanel />
        </Suspense>
      </Popover.Dropdown>
    </Popover>
  );
}
