import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useShortcuts } from '../ui/useShortcuts';
import classes from './App.module.css';
import { FEATURES } from './features';
import { Header } from './Header';
import { ModeNotice } from './ModeNotice';
import { useIncomingFiles } from './useIncomingFiles';
import { useLeaveWarning } from './useLeaveWarning';
import { useServiceWatch } from './useServiceWatch';
import { goTo, useTab } from './useTab';

const ShortcutsDialog = lazy(() => import('./ShortcutsDialog'));

export function App() {
  const { t } = useTranslation();
  const shown = useTab();
  const [isHelpOpen, setHelpOpen] = useState(false);
  useServiceWatch();
  useIncomingFiles();
  useLeaveWarning();
  useShortcuts({
    '?': () => setHelpOpen(true),
    ...Object.fromEntries(FEATURES.map((feature, n) => [`Alt+${n + 1}`, () => goTo(feature)])),
  });
  return (
    <div className={classes.shell}>
      <a href="#content" className={classes.skip} onClick={focusContent}>
        {t('app.skip')}
      </a>
      <Header shown={shown} onHelp={() => setHelpOpen(true)} />
      <main id="content" tabIndex={-1} className={classes.content}>
        {/* Here, not in the sections: a page has its heading while a section is still loading. */}
        <h1 className="pm-hidden">{t(shown.titleKey)}</h1>
        <ModeNotice />
        <Suspense fallback={<section />}>
          <shown.Screen key={shown.id} />
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

/** The fragment of the address names the section, so it cannot be the target of the link. */
function focusContent(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}
