import { Button, PasswordInput, SegmentedControl, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useGeneralSettings, useServices, useStore } from '../state/services';

/** Chooses what computes, and says how the service is. */
export default function ModePanel() {
  const { t } = useTranslation();
  const { build, status, askService } = useServices();
  const [{ preference, apiKey }, change] = useGeneralSettings();
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
