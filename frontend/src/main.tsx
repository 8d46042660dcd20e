import './app/mantine';
import './app/base.css';
import './app/contrast.css';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { I18nextProvider } from 'react-i18next';
import { App } from './app/App';
import { createServices } from './app/createServices';
import { TASK_FEATURES } from './app/features';
import { saveQueue } from './app/saveQueue';
import { theme } from './app/theme';
import { createI18n, preferredLanguage } from './i18n';
import { ServicesContext } from './state/services';
import { generalSettings, valuesOf } from './state/settings';

const schemes = localStorageColorSchemeManager({ key: 'pixelmend-color-scheme' });

function usableStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

async function start(root: HTMLElement): Promise<void> {
  const { VITE_UPSCALE_MODE: mode, VITE_API_URL } = import.meta.env;
  const apiUrl = VITE_API_URL || new URL('.', window.location.href).href;
  const services = createServices(
    { browserOnly: mode === 'browser', apiUrl },
    TASK_FEATURES,
    usableStorage(),
  );
  const { language: chosen } = valuesOf(services.settings.get(), generalSettings);
  const language = chosen ?? preferredLanguage(navigator.languages);
  const i18n = await createI18n(language);
  // A failed request is shown at once, and the user can ask again. The service watch keeps asking anyway.
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  createRoot(root).render(
    <StrictMode>
      <ServicesContext value={services}>
        <QueryClientProvider client={queries}>
          <I18nextProvider i18n={i18n}>
            <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={schemes}>
              <App />
            </MantineProvider>
          </I18nextProvider>
        </QueryClientProvider>
      </ServicesContext>
    </StrictMode>,
  );
  await saveQueue(services);
}

const root = document.getElementById('root');
if (root) void start(root);
