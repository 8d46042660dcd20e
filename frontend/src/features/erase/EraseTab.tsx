import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useServices, useStore } from '../../app/services';
import { checkFile } from '../../files/check';
import { browserDecoder } from '../../files/decoder';
import { DropZone } from '../../ui/DropZone';
import { MessageText } from '../../ui/MessageText';
import { pickFiles } from '../upscale/useAddFiles';
import classes from './Erase.module.css';
import { EraseWorkspace } from './EraseWorkspace';

export default function EraseTab() {
  const { t } = useTranslation();
  const { erasing, limits } = useServices();
  const chosen = useStore(erasing);
  const checked = useQuery({
    queryKey: ['erase-check', chosen?.id],
    queryFn: async () => (chosen ? checkFile(chosen.file, await limits(), true, browserDecoder) : null),
    enabled: chosen !== null,
    gcTime: 0,
  });
  const pick = () =>
    pickFiles(([file]) => file && erasing.dispatch({ file, fileName: file.name || 'image.png' }), false);
  if (chosen && checked.data && !checked.data.refusal) {
    return <EraseWorkspace key={chosen.id} chosen={chosen} onAnother={pick} />;
  }
  return (
    <section className={classes.tab} data-empty aria-label={t('app.erase')}>
      <div className={classes.start}>
        <DropZone title={t('erase.pickTitle')} onPick={pick} />
        {checked.data?.refusal && (
          <div className={classes.status} data-failed role="alert">
            {chosen?.fileName}: <MessageText message={checked.data.refusal} />
          </div>
        )}
      </div>
    </section>
  );
}
