import { ActionIcon, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { IconKeyboard, IconLanguage, IconMoon, IconSun } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { switchLanguage, type Language } from '../i18n';
import type { Feature } from '../state/feature';
import { useGeneralSettings } from '../state/services';
import classes from './App.module.css';
import { FEATURES } from './features';
import { ModeMenu } from './ModeMenu';

export function Header({ shown, onHelp }: { shown: Feature; onHelp: () => void }) {
  const { t } = useTranslation();
  return (
    <header className={classes.header}>
      <div className={classes.brand}>
        <img src={`${import.meta.env.BASE_URL}favicon.svg`} width={26} height={26} alt="" />
        <span>Pixelmend</span>
      </div>
      <nav className={classes.tabs} aria-label={t('app.tabs')}>
        {FEATURES.map(({ id, fragment, titleKey, Icon }) => (
          <a
            key={id}
            href={`#${fragment}`}
            className={classes.tab}
            aria-current={id === shown.id ? 'page' : undefined}
          >
            <Icon size={18} stroke={1.75} aria-hidden />
            {t(titleKey)}
          </a>
        ))}
      </nav>
      <div className={classes.tools}>
        <ModeMenu />
        <LanguageMenu />
        <SchemeButton />
        <Tooltip label={t('app.shortcuts')}>
          <ActionIcon size="lg" aria-label={t('app.shortcuts')} onClick={onHelp} visibleFrom="sm">
            <IconKeyboard size={20} stroke={1.75} />
          </ActionIcon>
        </Tooltip>
      </div>
    </header>
  );
}

function LanguageMenu() {
  const { t, i18n } = useTranslation();
  const [, change] = useGeneralSettings();
  const choose = (language: Language) => {
    change({ language });
    void switchLanguage(i18n, language);
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon size="lg" aria-label={t('app.language')}>
          <IconLanguage size={20} stroke={1.75} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item lang="en" onClick={() => choose('en')}>
          English
        </Menu.Item>
        <Menu.Item lang="zh-CN" onClick={() => choose('zh')}>
          简体中文
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function SchemeButton() {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme('light') === 'dark';
  const label = t(isDark ? 'app.toLight' : 'app.toDark');
  return (
    <Tooltip label={label}>
      <ActionIcon
        size="lg"
        className={classes.scheme}
        aria-label={label}
        onClick={() => setColorScheme(isDark ? 'light' : 'dark')}
      >
        <IconSun className="pm-sun" size={20} stroke={1.75} />
        <IconMoon className="pm-moon" size={20} stroke={1.75} />
      </ActionIcon>
    </Tooltip>
  );
}
