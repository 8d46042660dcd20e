import i18next, { type i18n } from 'i18next';
import { initReactI18next } from 'react-i18next';
import { en } from './en';

export type Language = 'en' | 'zh';

/** The first language that the browser asks for and that the app has. */
export function preferredLanguage(wanted: readonly string[]): Language {
  const known = wanted
    .map((tag) => tag.slice(0, 2).toLowerCase())
    .find((tag) => tag === 'zh' || tag === 'en');
  return known === 'zh' ? 'zh' : 'en';
}

export async function createI18n(language: Language): Promise<i18n> {
  const instance = i18next.createInstance();
  await instance.use(initReactI18next).init({
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false }, // React escapes
  });
  await switchLanguage(instance, language);
  return instance;
}

/** Chinese is loaded when it is chosen. */
export async function switchLanguage(instance: i18n, language: Language): Promise<void> {
  if (language === 'zh' && !instance.hasResourceBundle('zh', 'translation')) {
    const { zh } = await import('./zh');
    instance.addResourceBundle('zh', 'translation', zh);
  }
  await instance.changeLanguage(language);
  document.documentElement.lang = LANGUAGE_TAG[language];
}

/** The language tag of the page. */
const LANGUAGE_TAG: Record<Language, string> = { en: 'en', zh: 'zh-CN' };
