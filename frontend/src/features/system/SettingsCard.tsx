import { useTranslation } from 'react-i18next';
import type { Info, MemoryView } from '../../api/client';
import { formatBytes, formatSeconds } from '../../lib/format';
import { Facts } from './Facts';
import classes from './System.module.css';

/** The settings of the service, which can only be changed where it runs. */
export function SettingsCard({ info, memory }: { info: Info | undefined; memory: MemoryView | undefined }) {
  const { t } = useTranslation();
  const mega = (pixels: number) => t('system.megapixels', { count: Math.round(pixels / 1e6) });
  const list = (names: readonly string[]) => names.map((name) => name.toUpperCase()).join(', ');
  return (
    <div className={`pm-card ${classes.card} ${classes.wide}`}>
      <h2 className={classes.title}>{t('system.settings')}</h2>
      {info && (
        <Facts
          facts={[
            [t('system.defaultModel'), info.default_model],
            [t('system.formatsIn'), list(info.input_formats)],
            [t('system.formatsOut'), list(info.output_formats)],
            [t('system.maxUpload'), formatBytes(info.limits.max_upload_bytes)],
            [t('system.maxInput'), mega(info.limits.max_input_pixels)],
            [t('system.maxSide'), `${info.limits.max_input_side_px} px`],
            [t('system.maxOutput'), mega(info.limits.max_output_pixels)],
            [t('system.maxQueue'), info.limits.max_queue_jobs],
            [
              t('system.sampling'),
              memory?.enabled ? t('system.every', { time: formatSeconds(memory.interval_s, t) }) : '–',
            ],
          ]}
        />
      )}
    </div>
  );
}
