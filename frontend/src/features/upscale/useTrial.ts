import { useEffect, useRef, useState } from 'react';
import { SCALE } from '../../api/constants';
import type { Rect } from '../../imaging/geometry';
import { type Message, messageOf } from '../../lib/message';
import type { UpscaleOptions } from '../../processing/options';
import type { ProcessResult } from '../../processing/processor';
import { useServices, useSettings } from '../../state/services';
import { upscalingSettings } from '../../state/upscaling';
import { cutOut } from './crop';
import type { Look } from './looks';

export type Pane = { look: Look } & (
  { state: 'running' } | { state: 'done'; result: ProcessResult } | { state: 'failed'; message: Message }
);

export interface Trial {
  isRunning: boolean;
  original: Blob | null;
  panes: readonly Pane[];
  run: (crop: Rect, looks: readonly Look[]) => Promise<void>;
}

/** Upscales a crop to each look, one after another. It ends with the component. */
export function useTrial(file: Blob): Trial {
  const { processor } = useServices();
  const [settings] = useSettings(upscalingSettings);
  const [isRunning, setRunning] = useState(false);
  const [original, setOriginal] = useState<Blob | null>(null);
  const [panes, setPanes] = useState<readonly Pane[]>([]);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(new DOMException('closed', 'AbortError')), []);

  const run = async (crop: Rect, looks: readonly Look[]) => {
    const own = new AbortController();
    controller.current = own;
    setRunning(true);
    setPanes(looks.map((look) => ({ look, state: 'running' })));
    const set = (pane: Pane) =>
      !own.signal.aborted && setPanes((now) => now.map((one) => (one.look.id === pane.look.id ? pane : one)));
    try {
      const cut = await cutOut(file, crop);
      setOriginal(cut);
      for (const look of looks) {
        if (own.signal.aborted) return;
        const options: UpscaleOptions = {
          task: 'upscale',
          model: look.model,
          target: { kind: 'scale', factor: settings.sizing === 'scale' ? settings.factor : SCALE.default },
          ...look.dials,
          format: 'png',
          quality: null,
          firstFrame: false,
        };
        try {
          const input = { file: cut, fileName: 'crop.png' };
          const result = await processor.process(input, options, () => undefined, own.signal);
          set({ look, state: 'done', result });
        } catch (error) {
          set({ look, state: 'failed', message: messageOf(error) });
        }
      }
    } catch (error) {
      setPanes(looks.map((look) => ({ look, state: 'failed', message: messageOf(error) })));
    } finally {
      if (!own.signal.aborted) setRunning(false);
    }
  };
  return { isRunning, original, panes, run };
}
