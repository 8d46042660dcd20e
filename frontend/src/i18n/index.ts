import i18next, { type i18n } from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Language } from '../state/settings';
import { en } from './en';

/** What the browser asks for first, of what there is. */
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

/** Chinese is loaded once it is wanted. */
export async function switchLanguage(instance: i18n, language: Language): Promise<void> {
  if (language === 'zh' && !instance.hasResourceBundle('zh', 'translation')) {
    const { zh } = await import('./zh');
    instance.addResourceBundle('zh', 'translation', zh);
  }
  await instance.changeLanguage(language);
  document.documentElement.lang = LANGUAGE_TAG[language];
}

/** What a page says its language is. */
export const LANGUAGE_TAG: Record<Language, string> = { en: 'en', zh: 'zh-CN' };
