import { useEffect, useRef, useState } from 'react';
import { type Message, messageOf } from '../../lib/message';
import type { InpaintOptions } from '../../processing/options';
import type { ProcessProgress, ProcessResult } from '../../processing/processor';
import { useDials } from '../../state/hooks';
import { useServices, useSettings } from '../../state/services';
import { upscalingOf, upscalingSettings } from '../../state/upscaling';
import type { MaskEditor } from './mask/editor';
import { encodeMask } from './mask/encode';
import { isEmpty, isFull } from './mask/mask';
import { inpaintSettings } from './settings';

export interface Inpainting {
  progress: ProcessProgress | null;
  isRunning: boolean;
  message: Message | null;
  run: (file: Blob, fileName: string, editor: MaskEditor) => Promise<void>;
  cancel: () => void;
}

interface Options {
  model: string | null;
  isUpscaling: boolean;
  onResult: (result: ProcessResult) => void;
}

/** Runs one inpainting at a time. It ends with the component. */
export function useInpainting({ model, isUpscaling, onResult }: Options): Inpainting {
  const { processor } = useServices();
  const [{ maskGrowPx, maskFeatherPx }] = useSettings(inpaintSettings);
  const [upscaling] = useSettings(upscalingSettings);
  const dials = useDials(upscaling.model);
  const [progress, setProgress] = useState<ProcessProgress | null>(null);
  const [isRunning, setRunning] = useState(false);
  const [message, setMessage] = useState<Message | null>(null);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(new DOMException('closed', 'AbortError')), []);

  const run = async (file: Blob, fileName: string, editor: MaskEditor) => {
    if (isEmpty(editor.mask) || isFull(editor.mask)) {
      setMessage({ key: isEmpty(editor.mask) ? 'inpaint.nothing' : 'inpaint.everything', retryable: false });
      return;
    }
    const own = new AbortController();
    controller.current = own;
    setRunning(true);
    setMessage(null);
    try {
      const options: InpaintOptions = {
        task: 'inpaint',
        model,
        maskGrowPx,
        maskFeatherPx,
        thenUpscale: isUpscaling ? upscalingOf(upscaling, dials) : null,
        // The result may be inpainted again, so nothing may be lost on the way.
        format: 'png',
        quality: null,
        firstFrame: true,
      };
      const input = { file, fileName, mask: await encodeMask(editor.mask) };
      onResult(await processor.process(input, options, setProgress, own.signal));
    } catch (error) {
      if (!own.signal.aborted) setMessage(messageOf(error));
    } finally {
      setRunning(false);
      setProgress(null);
    }
  };
  return {
    progress,
    isRunning,
    message,
    run,
    cancel: () => controller.current?.abort(new DOMException('cancelled', 'AbortError')),
  };
}
