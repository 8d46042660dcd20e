import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { checkFile } from '../../files/check';
import { browserDecoder } from '../../files/decoder';
import { pickFile } from '../../files/pick';
import { useServices, useStore } from '../../state/services';
import { DropZone } from '../../ui/DropZone';
import { MessageText } from '../../ui/MessageText';
import classes from './Inpaint.module.css';
import { InpaintWorkspace } from './InpaintWorkspace';

export default function InpaintTab() {
  const { t } = useTranslation();
  const { chosen, limits, openIn } = useServices();
  const image = useStore(chosen).inpaint ?? null;
  const checked = useQuery({
    queryKey: ['inpaint-check', image?.id],
    queryFn: async () => (image ? checkFile(image.file, await limits(), true, browserDecoder) : null),
    enabled: image !== null,
    gcTime: 0,
  });
  const pick = () => pickFile((file) => openIn('inpaint', [file]));
  if (image && checked.data && !checked.data.refusal) {
    return <InpaintWorkspace key={image.id} image={image} onAnother={pick} />;
  }
  return (
    <section className={classes.tab} data-empty aria-label={t('app.inpaint')}>
      <div className={classes.start}>
        <DropZone title={t('inpaint.pickTitle')} onPick={pick} />
        {checked.data?.refusal && (
          <div className={classes.status} data-failed role="alert">
            {image?.fileName}: <MessageText message={checked.data.refusal} />
          </div>
        )}
      </div>
    </section>
  );
}
