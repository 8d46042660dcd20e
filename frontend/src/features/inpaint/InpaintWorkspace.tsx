import { Button, Progress } from '@mantine/core';
import { IconArrowsMaximize, IconDownload, IconEye, IconPhotoPlus, IconSparkles } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { OUTPUT_FORMATS } from '../../api/constants';
import { resultName } from '../../files/names';
import { pickFile } from '../../files/pick';
import { isSameSize } from '../../imaging/geometry';
import { saveBlob } from '../../lib/save';
import type { NamedFile } from '../../state/chosen';
import { useServices, useSettings } from '../../state/services';
import { MessageText } from '../../ui/MessageText';
import { NoteText } from '../../ui/NoteText';
import { useShortcuts } from '../../ui/useShortcuts';
import { useSource } from '../../ui/viewer/useSource';
import viewer from '../../ui/viewer/Viewer.module.css';
import { steppedBrush } from './brush';
import { FillPanel } from './FillPanel';
import classes from './Inpaint.module.css';
import { InpaintCanvas } from './InpaintCanvas';
import { encodeMask } from './mask/encode';
import { importMask } from './mask/importMask';
import { invert } from './mask/mask';
import { MaskPanel } from './MaskPanel';
import { inpaintSettings } from './settings';
import { ToolBar } from './ToolBar';
import { type Tool, TOOL_KEYS, TOOLS } from './tools';
import { useInpainting } from './useInpainting';
import { useVersions } from './useVersions';

interface Props {
  image: NamedFile;
  onAnother: () => void;
}

export function InpaintWorkspace({ image, onAnother }: Props) {
  const { t } = useTranslation();
  const { openIn } = useServices();
  const [settings, change] = useSettings(inpaintSettings);
  const [tool, setTool] = useState<Tool>('brush');
  const [model, setModel] = useState<string | null>(null);
  const [isUpscaling, setUpscaling] = useState(false);
  const [isHolding, setHolding] = useState(false);
  const [hint, setHint] = useState<string | null>(null);
  const versions = useVersions(image.file);
  const { current } = versions;
  const { source, state } = useSource(current.file, current.widthPx, current.heightPx);
  const original = useSource(isHolding && versions.count > 1 ? versions.first : null, null, null);
  const inpainting = useInpainting({ model, isUpscaling, onResult: versions.push });
  const editor = source ? versions.editorFor(source.size) : null;
  const run = () =>
    editor && !inpainting.isRunning && void inpainting.run(current.file, image.fileName, editor);
  const brush = (direction: 1 | -1) => change({ brushPx: steppedBrush(settings.brushPx, direction) });
  const isResult = current.result !== null;
  const save = () =>
    source &&
    isResult &&
    saveBlob(current.file, resultName(image.fileName, source.size, OUTPUT_FORMATS.png.mediaType));

  useHeldKey('v', setHolding);
  useShortcuts({
    ...Object.fromEntries(TOOLS.map((name) => [TOOL_KEYS[name], () => setTool(name)])),
    '[': () => brush(-1),
    ']': () => brush(1),
    'Ctrl+z': () => editor?.undo(),
    'Ctrl+Shift+z': () => editor?.redo(),
    'Ctrl+y': () => editor?.redo(),
    'Ctrl+Enter': run,
    'Ctrl+s': save,
    i: () => editor?.apply(invert),
  });

  const importFile = () =>
    pickFile((file) => {
      if (!editor) return;
      importMask(file, editor.mask).then(
        ({ size, act }) => {
          const values = { width: size.widthPx, height: size.heightPx };
          setHint(isSameSize(size, editor.mask) ? null : t('inpaint.maskSize', values));
          editor.apply(act);
        },
        () => setHint(t('inpaint.maskUnreadable')),
      );
    });
  const exportFile = async () => {
    if (editor) saveBlob(await encodeMask(editor.mask), `${image.fileName.replace(/\.[^.]+$/, '')}-mask.png`);
  };
  const upscale = () =>
    openIn('upscale', [new File([current.file], image.fileName, { type: current.file.type })]);

  return (
    <section className={classes.tab} aria-label={t('app.inpaint')}>
      {editor ? <ToolBar editor={editor} tool={tool} onTool={setTool} /> : <div className="pm-card" />}
      <div className={classes.middle}>
        {source && editor ? (
          <InpaintCanvas
            source={isHolding && original.source ? original.source : source}
            editor={editor}
            tool={tool}
            brushPx={settings.brushPx}
            isMaskHidden={isHolding}
            isLocked={inpainting.isRunning || isHolding}
          />
        ) : (
          <div className={`${viewer.stage} ${classes.stage}`}>
            <div className={viewer.message}>
              {state === 'failed' ? t('errors.undecodable') : t('viewer.loading')}
            </div>
          </div>
        )}
        <div className={classes.status} role="status" data-failed={inpainting.message ? true : undefined}>
          {inpainting.message ? (
            <MessageText message={inpainting.message} />
          ) : (
            <span>{hint ?? (isResult ? t('inpaint.done') : t('inpaint.nothing'))}</span>
          )}
          {current.result?.notes.map((note) => (
            <NoteText key={note.text} note={note} />
          ))}
          {inpainting.progress?.note && <NoteText note={inpainting.progress.note} />}
        </div>
      </div>
      <div className={`pm-card ${classes.panel}`}>
        <div className={classes.fields}>
          {editor && <MaskPanel editor={editor} onImport={importFile} onExport={() => void exportFile()} />}
          <FillPanel model={model} onModel={setModel} isUpscaling={isUpscaling} onUpscaling={setUpscaling} />
          <Button
            variant="default"
            leftSection={<IconEye size={17} stroke={1.75} />}
            onPointerDown={() => setHolding(true)}
            onPointerUp={() => setHolding(false)}
            onPointerLeave={() => setHolding(false)}
            onKeyDown={(event) => [' ', 'Enter'].includes(event.key) && setHolding(true)}
            onKeyUp={() => setHolding(false)}
          >
            {t('inpaint.hold')}
          </Button>
          <Button variant="subtle" color="gray" leftSection={<IconPhotoPlus size={17} />} onClick={onAnother}>
            {t('inpaint.another')}
          </Button>
        </div>
        <div className={classes.run}>
          {isResult && !inpainting.isRunning && (
            <>
              <div className={classes.pair}>
                <Button variant="light" px={8} leftSection={<IconDownload size={17} />} onClick={save}>
                  {t('inpaint.download')}
                </Button>
                <Button variant="default" px={8} onClick={versions.back}>
                  {t('inpaint.back')}
                </Button>
              </div>
              <Button variant="light" leftSection={<IconArrowsMaximize size={17} />} onClick={upscale}>
                {t('inpaint.upscale')}
              </Button>
            </>
          )}
          {inpainting.isRunning ? (
            <>
              <Progress
                value={(inpainting.progress?.fraction ?? 0) * 100}
                aria-label={t('inpaint.working')}
                transitionDuration={120}
              />
              <Button size="md" variant="default" onClick={inpainting.cancel}>
                {t('queue.cancel')}
              </Button>
            </>
          ) : (
            <Button
              size="md"
              disabled={!editor}
              leftSection={<IconSparkles size={18} stroke={1.75} />}
              onClick={run}
              data-testid="inpaint-run"
            >
              {t('inpaint.run')}
            </Button>
          )}
        </div>
      </div>
    </section>
  );
}

function useHeldKey(key: string, onChange: (isHeld: boolean) => void): void {
  useShortcuts({ [key]: () => onChange(true) });
  useEffect(() => {
    const onUp = (event: KeyboardEvent) => event.key.toLowerCase() === key && onChange(false);
    window.addEventListener('keyup', onUp);
    return () => window.removeEventListener('keyup', onUp);
  }, [key, onChange]);
}
