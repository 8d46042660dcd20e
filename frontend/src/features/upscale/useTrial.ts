import { useEffect, useRef, useState } from 'react';
import { useServices, useSettings } from '../../app/services';
import type { ProcessResult, UpscaleOptions } from '../../processing/processor';
import { type Message, messageOf } from '../../state/message';
import { type Crop, cutOut } from './crop';

export type Pane = { model: string } & (
  { state: 'running' } | { state: 'done'; result: ProcessResult } | { state: 'failed'; message: Message }
);

export interface Trial {
  isRunning: boolean;
  original: Blob | null;
  panes: readonly Pane[];
  run: (crop: Crop, models: readonly string[]) => Promise<void>;
}

/** Runs models on a crop one after the other; ends with the component. */
export function useTrial(file: Blob): Trial {
  const { processor } = useServices();
  const [settings] = useSettings();
  const [isRunning, setRunning] = useState(false);
  const [original, setOriginal] = useState<Blob | null>(null);
  const [panes, setPanes] = useState<readonly Pane[]>([]);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(new DOMException('closed', 'AbortError')), []);

  const run = async (crop: Crop, models: readonly string[]) => {
    const own = new AbortController();
    controller.current = own;
    setRunning(true);
    setPanes(models.map((model) => ({ model, state: 'running' })));
    const set = (pane: Pane) =>
      !own.signal.aborted && setPanes((now) => now.map((one) => (one.model === pane.model ? pane : one)));
    try {
      const cut = await cutOut(file, crop);
      setOriginal(cut);
      for (const model of models) {
        if (own.signal.aborted) return;
        const options: UpscaleOptions = {
          task: 'upscale',
          model,
          target: { kind: 'scale', factor: settings.sizing === 'scale' ? settings.factor : 4 },
          denoise: null,
          format: 'png',
          quality: null,
          firstFrame: false,
        };
        try {
          const input = { file: cut, fileName: 'crop.png' };
          const result = await processor.process(input, options, () => undefined, own.signal);
          set({ model, state: 'done', result });
        } catch (error) {
          set({ model, state: 'failed', message: messageOf(error) });
        }
      }
    } catch (error) {
      setPanes(models.map((model) => ({ model, state: 'failed', message: messageOf(error) })));
    } finally {
      if (!own.signal.aborted) setRunning(false);
    }
  };
  return { isRunning, original, panes, run };
}
