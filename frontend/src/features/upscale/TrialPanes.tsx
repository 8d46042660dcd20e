import { Button, Loader } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { BlobImage } from '../../ui/BlobImage';
import { formatSeconds } from '../../lib/format';
import { MessageText } from '../../ui/MessageText';
import type { Look } from './looks';
import classes from './Trial.module.css';
import { useLookName } from './useLookName';
import type { Pane, Trial } from './useTrial';

interface Props {
  trial: Trial;
  onUse: (look: Look) => void;
}

export function TrialPanes({ trial, onUse }: Props) {
  const { t } = useTranslation();
  const nameOf = useLookName();
  if (trial.panes.length === 0) return null;
  return (
    <div className={classes.panes} data-testid="trial">
      <figure className={classes.pane}>
        <div className={classes.picture}>
          {trial.original && <BlobImage blob={trial.original} alt={t('trial.original')} />}
        </div>
        <figcaption>{t('trial.original')}</figcaption>
      </figure>
      {trial.panes.map((pane) => (
        <TrialPane key={pane.look.id} pane={pane} title={nameOf(pane.look)} onUse={() => onUse(pane.look)} />
      ))}
    </div>
  );
}

function TrialPane({ pane, title, onUse }: { pane: Pane; title: string; onUse: () => void }) {
  const { t } = useTranslation();
  return (
    <figure className={classes.pane} data-state={pane.state}>
      <div className={classes.picture}>
        {pane.state === 'running' && <Loader size="sm" aria-label={t('trial.running')} />}
        {pane.state === 'failed' && (
          <div className={classes.failure}>
            <MessageText message={pane.message} />
          </div>
        )}
        {pane.state === 'done' && (
          <BlobImage blob={pane.result.blob} alt={t('trial.pane', { model: title })} />
        )}
      </div>
      <figcaption>
        <span>
          {title}
          {pane.state === 'done' && (
            <span className="pm-quiet pm-number">
              {' '}
              · {formatSeconds(pane.result.timing.totalMs / 1000, t)}
            </span>
          )}
        </span>
        <Button size="compact-sm" variant="light" disabled={pane.state !== 'done'} onClick={onUse}>
          {t('trial.use')}
        </Button>
      </figcaption>
    </figure>
  );
}
