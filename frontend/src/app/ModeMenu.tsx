import { Button, PasswordInput, Popover, SegmentedControl, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import classes from './App.module.css';
import { useMode } from './hooks';
import { useServices, useSettings, useStore } from './services';

/** Who computes now, and who shall. */
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
        <ModePanel />
      </Popover.Dropdown>
    </Popover>
  );
}

function ModePanel() {
  const { t } = useTranslation();
  const { build, status, askService } = useServices();
  const [{ preference, apiKey }, change] = useSettings();
  const now = useStore(status);
  const hints = { auto: 'mode.autoHint', server: 'mode.serverHint', browser: 'mode.browserHint' } as const;
  if (build.browserOnly) return <Text size="sm">{t('mode.browserOnly')}</Text>;
  return (
    <Stack gap="sm">
      <Text size="sm" fw={600}>
        {t('mode.title')}
      </Text>
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label={t('mode.title')}
        value={preference}
        onChange={(value) => change({ preference: value })}
        data={[
          { value: 'auto', label: t('mode.auto') },
          { value: 'server', label: t('mode.server') },
          { value: 'browser', label: t('mode.browser') },
        ]}
      />
      <Text size="sm" className="pm-quiet">
        {t(hints[preference])}
      </Text>
      {preference !== 'browser' && (
        <>
          <Text size="sm">
            {now.state === 'unknown' ? t('mode.checking') : t(`mode.${now.state}`)}
            {'detail' in now && now.state !== 'unreachable' && now.detail ? ` ${now.detail}` : ''}
          </Text>
          <Button variant="light" size="xs" onClick={() => void askService()}>
            {t('mode.again')}
          </Button>
          <PasswordInput
            size="xs"
            label={t('mode.apiKey')}
            description={t('mode.apiKeyHint')}
            value={apiKey}
            autoComplete="off"
            onChange={(event) => change({ apiKey: event.currentTarget.value.trim() })}
          />
        </>
      )}
    </Stack>
  );
}
