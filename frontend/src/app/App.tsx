import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useAddFiles } from '../features/upscale/useAddFiles';
import { UpscaleTab } from '../features/upscale/UpscaleTab';
import classes from './App.module.css';
import { Header } from './Header';
import { useServiceWatch, useTab } from './hooks';
import { ModeNotice } from './ModeNotice';
import { useShortcuts } from './useShortcuts';

const ShortcutsDialog = lazy(() => import('./ShortcutsDialog'));
const EraseTab = lazy(() => import('../features/erase/EraseTab'));
const SystemTab = lazy(() => import('../features/system/SystemTab'));

export function App() {
  const { t } = useTranslation();
  const [tab, setTab] = useTab();
  const [isHelpOpen, setHelpOpen] = useState(false);
  useServiceWatch();
  useAddFiles();
  useShortcuts({
    '?': () => setHelpOpen(true),
    'Alt+1': () => setTab('upscale'),
    'Alt+2': () => setTab('erase'),
    'Alt+3': () => setTab('system'),
  });
  return (
    <div className={classes.shell}>
      <a href="#content" className={classes.skip} onClick={focusContent}>
        {t('app.skip')}
      </a>
      <Header tab={tab} onHelp={() => setHelpOpen(true)} />
      <main id="content" tabIndex={-1} className={classes.content}>
        <ModeNotice />
        <Suspense fallback={<section />}>
          {tab === 'upscale' && <UpscaleTab />}
          {tab === 'erase' && <EraseTab />}
          {tab === 'system' && <SystemTab />}
        </Suspense>
      </main>
      {isHelpOpen && (
        <Suspense fallback={null}>
          <ShortcutsDialog onClose={() => setHelpOpen(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** The fragment names the tab, so it cannot be the link's target. */
function focusContent(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}
