import { Button, Progress } from '@mantine/core';
import { IconArrowsMaximize, IconDownload, IconEye, IconPhotoPlus, IconSparkles } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { goTo } from '../../app/hooks';
import { type Chosen, useServices, useSettings } from '../../app/services';
import { useShortcuts } from '../../app/useShortcuts';
import { importMask } from '../../mask/importing';
import { invert } from '../../mask/mask';
import { encodeMask } from '../../mask/png';
import { resultName } from '../../ui/format';
import { MessageText } from '../../ui/MessageText';
import { saveBlob } from '../../ui/save';
import { addFiles, pickFiles } from '../upscale/useAddFiles';
import { NoteText } from '../upscale/ResultNotes';
import viewer from '../viewer/Viewer.module.css';
import { useSource } from '../viewer/useSource';
import classes from './Erase.module.css';
import { EraseCanvas } from './EraseCanvas';
import { FillPanel } from './FillPanel';
import { MaskPanel } from './MaskPanel';
import { ToolBar } from './ToolBar';
import { steppedBrush, type Tool, TOOL_KEYS, TOOLS } from './tools';
import { useErasing } from './useErasing';
import { useVersions } from './useVersions';

interface Props {
  chosen: Chosen;
  onAnother: () => void;
}

export function EraseWorkspace({ chosen, onAnother }: Props) {
  const { t } = useTranslation();
  const services = useServices();
  const [settings, change] = useSettings();
  const [tool, setTool] = useState<Tool>('brush');
  const [model, setModel] = useState<string | null>(null);
  const [isEnlarging, setEnlarging] = useState(false);
  const [isHolding, setHolding] = useState(false);
  const [hint, setHint] = useState<string | null>(null);
  const versions = useVersions(chosen.file);
  const { current } = versions;
  const { source, state } = useSource(current.file, current.width, current.height);
  const original = useSource(isHolding && versions.count > 1 ? versions.first : null, null, null);
  const erasing = useErasing({ model, isEnlarging, onResult: versions.push });
  const editor = source ? versions.editorFor(source.size) : null;
  const run = () => editor && !erasing.isRunning && void erasing.run(current.file, chosen.fileName, editor);
  const brush = (direction: 1 | -1) => change({ brushPx: steppedBrush(settings.brushPx, direction) });
  const isResult = current.result !== null;
  const save = () =>
    source &&
    isResult &&
    saveBlob(current.file, resultName(chosen.fileName, source.size.width, source.size.height, 'image/png'));

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
    pickFiles(([file]) => {
      if (!file || !editor) return;
      importMask(file, editor.mask).then(
        ({ width, height, act }) => {
          const isOther = width !== editor.mask.widthPx || height !== editor.mask.heightPx;
          setHint(isOther ? t('erase.maskSize', { width, height }) : null);
          editor.apply(act);
        },
        () => setHint(t('erase.maskUnreadable')),
      );
    }, false);
  const exportFile = async () => {
    if (editor)
      saveBlob(await encodeMask(editor.mask), `${chosen.fileName.replace(/\.[^.]+$/, '')}-mask.png`);
  };
  const enlarge = () => {
    addFiles(services, [new File([current.file], chosen.fileName, { type: current.file.type })]);
    goTo('upscale');
  };

  return (
    <section className={classes.tab} aria-label={t('app.erase')}>
      <h1 className="pm-hidden">{t('app.erase')}</h1>
      {editor ? <ToolBar editor={editor} tool={tool} onTool={setTool} /> : <div className="pm-card" />}
      <div className={classes.middle}>
        {source && editor ? (
          <EraseCanvas
            source={isHolding && original.source ? original.source : source}
            editor={editor}
            tool={tool}
            brushPx={settings.brushPx}
            isMaskHidden={isHolding}
            isLocked={erasing.isRunning || isHolding}
          />
        ) : (
          <div className={`${viewer.stage} ${classes.stage}`}>
            <div className={viewer.message}>
              {state === 'failed' ? t('errors.undecodable') : t('viewer.loading')}
            </div>
          </div>
        )}
        <div className={classes.status} role="status" data-failed={erasing.message ? true : undefined}>
          {erasing.message ? (
            <MessageText message={erasing.message} />
          ) : (
            <span>{hint ?? (isResult ? t('erase.done') : t('erase.nothing'))}</span>
          )}
          {current.result?.notes.map((note) => (
            <NoteText key={note.text} note={note} />
          ))}
          {erasing.progress?.note && <NoteText note={erasing.progress.note} />}
        </div>
      </div>
      <div className={`pm-card ${classes.panel}`}>
        <div className={classes.fields}>
          {editor && <MaskPanel editor={editor} onImport={importFile} onExport={() => void exportFile()} />}
          <FillPanel model={model} onModel={setModel} isEnlarging={isEnlarging} onEnlarging={setEnlarging} />
          <Button
            variant="default"
            leftSection={<IconEye size={17} stroke={1.75} />}
            onPointerDown={() => setHolding(true)}
            onPointerUp={() => setHolding(false)}
            onPointerLeave={() => setHolding(false)}
            onKeyDown={(event) => [' ', 'Enter'].includes(event.key) && setHolding(true)}
            onKeyUp={() => setHolding(false)}
          >
            {t('erase.hold')}
          </Button>
          <Button variant="subtle" color="gray" leftSection={<IconPhotoPlus size={17} />} onClick={onAnother}>
            {t('erase.another')}
          </Button>
        </div>
        <div className={classes.run}>
          {isResult && !erasing.isRunning && (
            <>
              <div className={classes.pair}>
                <Button variant="light" px={8} leftSection={<IconDownload size={17} />} onClick={save}>
                  {t('erase.download')}
                </Button>
                <Button variant="default" px={8} onClick={versions.back}>
                  {t('erase.back')}
                </Button>
              </div>
              <Button variant="light" leftSection={<IconArrowsMaximize size={17} />} onClick={enlarge}>
                {t('erase.enlarge')}
              </Button>
            </>
          )}
          {erasing.isRunning ? (
            <>
              <Progress
                value={(erasing.progress?.fraction ?? 0) * 100}
                aria-label={t('erase.working')}
                transitionDuration={120}
              />
              <Button size="md" variant="default" onClick={erasing.cancel}>
                {t('queue.cancel')}
              </Button>
            </>
          ) : (
            <Button
              size="md"
              disabled={!editor}
              leftSection={<IconSparkles size={18} stroke={1.75} />}
              onClick={run}
              data-testid="erase-run"
            >
              {t('erase.run')}
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
