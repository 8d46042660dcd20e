import { useTranslation } from 'react-i18next';

/** What the networks that ship do, in a word. Other models go by their ids. */
const WORDS = {
  'pixelmend-x4': 'modelNames.faithful',
  'pixelmend-x4-clean': 'modelNames.clean',
  'pixelmend-x4-vivid': 'modelNames.crisp',
  'pixelmend-x2': 'modelNames.faithful',
} as const;

export function useModelName(): (id: string) => string {
  const { t } = useTranslation();
  return (id) => (id in WORDS ? `${t(WORDS[id as keyof typeof WORDS])}: ${id}` : id);
}
