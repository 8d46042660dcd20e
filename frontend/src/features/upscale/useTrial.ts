import { useEffect, useRef, useState } from 'react';
import { SCALE } from '../../api/constants';
import type { Rect } from '../../imaging/geometry';
import { type Message, messageOf } from '../../lib/message';
import { UNTURNED, type UpscaleOptions } from '../../processing/options';
import type { ProcessResult } from '../../processing/processor';
import { useServices, useSettings } from '../../state/services';
import { upscalingSettings } from '../../state/upscaling';
import { cutOut } from './crop';

export type Pane = { model: string } & (
  { state: 'running' } | { state: 'done'; result: ProcessResult } | { state: 'failed'; message: Message }
);

export interface Trial {
  isRunning: boolean;
  original: Blob | null;
  panes: readonly Pane[];
  run: (crop: Rect, models: readonly string[]) => Promise<void>;
}

/** Runs models on a crop, one after another. It ends with the component. */
export function useTrial(file: Blob): Trial {
  const { processor } = useServices();
  const [settings] = useSettings(upscalingSettings);
  const [isRunning, setRunning] = useState(false);
  const [original, setOriginal] = useState<Blob | null>(null);
  const [panes, setPanes] = useState<readonly Pane[]>([]);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(new DOMException('closed', 'AbortError')), []);

  const run = async (crop: Rect, models: readonly string[]) => {
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
          target: { kind: 'scale', factor: settings.sizing === 'scale' ? settings.factor : SCALE.default },
          ...UNTURNED,
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
