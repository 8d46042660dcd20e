import { Button } from '@mantine/core';
import { IconCloudOff, IconShieldCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import classes from './App.module.css';
import { useMode } from '../state/hooks';
import { useGeneralSettings, useServices, useStore } from '../state/services';

/** Says that the service does not compute, why, and how to get back to it. */
export function ModeNotice() {
  const { t } = useTranslation();
  const { build, status, askService } = useServices();
  const [{ preference }, change] = useGeneralSettings();
  const now = useStore(status);
  const mode = useMode();
  if (build.browserOnly) return null;
  if (preference === 'browser') {
    return (
      <div className={classes.notice} data-calm role="status">
        <IconShieldCheck size={18} aria-hidden />
        <span>{mode === 'none' ? t('capabilities.oldBrowser') : t('mode.browserOnly')}</span>
        <Button size="compact-sm" variant="default" onClick={() => change({ preference: 'auto' })}>
          {t('mode.useService')}
        </Button>
      </div>
    );
  }
  if (now.state === 'ready' || now.state === 'unknown') return null;
  return (
    <div className={classes.notice} role="status">
      <IconCloudOff size={18} aria-hidden />
      <span>
        {t(`mode.${now.state}`)} {t(mode === 'browser' ? 'mode.noticeBrowser' : 'mode.noticeNothing')}
      </span>
      <Button size="compact-sm" variant="default" onClick={() => void askService()}>
        {t('mode.again')}
      </Button>
    </div>
  );
}
