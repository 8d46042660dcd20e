import { useTranslation } from 'react-i18next';
import type { Message } from '../lib/message';

/** Says what happened and what to do, in the user's language. The service's own words can be unfolded. */
export function MessageText({ message }: { message: Message }) {
  const { t } = useTranslation();
  const text = t(message.key, { ...message.values, defaultValue: t('errors.refused') });
  return (
    <span>
      {text}
      {message.detail && message.detail !== text && (
        <details style={{ marginTop: 2 }}>
          <summary style={{ cursor: 'pointer' }}>{t('errors.details')}</summary>
          <span style={{ overflowWrap: 'anywhere' }}>{message.detail}</span>
        </details>
      )}
    </span>
  );
}
