import { ActionIcon, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import {
  IconArrowsMaximize,
  IconCpu,
  IconEraser,
  IconKeyboard,
  IconLanguage,
  IconMoon,
  IconSun,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { switchLanguage } from '../i18n';
import type { Language } from '../state/settings';
import classes from './App.module.css';
import { type Tab, TABS } from './hooks';
import { ModeMenu } from './ModeMenu';
import { useSettings } from './services';

const ICONS: Record<Tab, typeof IconCpu> = {
  upscale: IconArrowsMaximize,
  erase: IconEraser,
  system: IconCpu,
};

export function Header({ tab, onHelp }: { tab: Tab; onHelp: () => void }) {
  const { t } = useTranslation();
  return (
    <header className={classes.header}>
      <div className={classes.brand}>
        <img src="/favicon.svg" width={26} height={26} alt="" />
        <span>Pixelmend</span>
      </div>
      <nav className={classes.tabs} aria-label={t('app.tabs')}>
        {TABS.map((name) => {
          const Icon = ICONS[name];
          return (
            <a
              key={name}
              href={`#${name}`}
              className={classes.tab}
              aria-current={name === tab ? 'page' : undefined}
            >
              <Icon size={18} stroke={1.75} aria-hidden />
              {t(`app.${name}`)}
            </a>
          );
        })}
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
  const [, change] = useSettings();
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
