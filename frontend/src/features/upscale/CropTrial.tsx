import { Button, Checkbox, Group, Modal, SegmentedControl, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSettings } from '../../state/services';
import { useModels, useStandardModel } from '../../state/hooks';
import { upscalingSettings } from '../../state/upscaling';
import { type Point, wholeOf } from '../../imaging/geometry';
import type { QueueItem } from '../../state/queue';
import { useSource } from '../../ui/viewer/useSource';
import { centreOf, cropAround } from './crop';
import { CropPicker } from './CropPicker';
import { type Look, looksOf } from './looks';
import { TrialPanes } from './TrialPanes';
import { useLookName } from './useLookName';
import { useTrial } from './useTrial';

const SIDES = ['96', '160', '256'];

/** Tries several models, and mixtures of them, on one crop, side by side, before the whole image is upscaled. */
export default function CropTrial({ item, onClose }: { item: QueueItem; onClose: () => void }) {
  const { t } = useTranslation();
  const [settings, change] = useSettings(upscalingSettings);
  const { probe, file } = item;
  const { source } = useSource(file, probe?.widthPx ?? null, probe?.heightPx ?? null);
  const models = useModels('upscale');
  const nameOf = useLookName();
  const standard = useStandardModel();
  const [side, setSide] = useState('160');
  const [centre, setCentre] = useState<Point | null>(null);
  const [chosen, setChosen] = useState<string[] | null>(null);
  const trial = useTrial(file);
  const looks = looksOf(models, settings.model ?? standard, settings);
  const ids = chosen ?? looks.slice(0, 3).map((look) => look.id);
  const tried = looks.filter((look) => ids.includes(look.id));
  const image = source?.size ?? null;
  const crop = image ? cropAround(centre ?? centreOf(wholeOf(image)), Number(side), image) : null;
  const use = ({ model, dials }: Look) => {
    const values = { denoise: dials.denoise ?? 0, detail: dials.detail ?? 0 };
    change({ model: model === standard ? null : model, ...values });
    onClose();
  };
  const descriptionOf = ({ kind, model }: Look) =>
    kind === 'model' ? models.find(({ id }) => id === model)?.title : t(`trial.about.${kind}`);
  return (
    <Modal
      opened
      onClose={onClose}
      size="min(1080px, 96vw)"
      title={t('trial.title')}
      closeButtonProps={{ 'aria-label': t('app.close') }}
    >
      <Text size="sm" className="pm-quiet" mb="sm">
        {t('trial.hint')}
      </Text>
      <Group align="start" gap="lg">
        <div>{source && crop ? <CropPicker source={source} crop={crop} onCentre={setCentre} /> : null}</div>
        <Stack gap="sm" style={{ flex: 1, minWidth: 220 }}>
          <SegmentedControl
            aria-label={t('trial.side')}
            value={side}
            onChange={setSide}
            data={SIDES.map((value) => ({ value, label: `${value} px` }))}
          />
          <Checkbox.Group label={t('trial.models')} value={ids} onChange={setChosen}>
            <Stack gap={8} mt={6}>
              {looks.map((look) => (
                <Checkbox
                  key={look.id}
                  value={look.id}
                  label={nameOf(look)}
                  description={descriptionOf(look)}
                />
              ))}
              {models.length === 0 && <Text size="sm">{t('trial.none')}</Text>}
            </Stack>
          </Checkbox.Group>
          <Button
            loading={trial.isRunning}
            disabled={!crop || tried.length === 0}
            onClick={() => crop && void trial.run(crop, tried)}
          >
            {t('trial.run')}
          </Button>
        </Stack>
      </Group>
      <TrialPanes trial={trial} onUse={use} />
    </Modal>
  );
}
