import { useEffect, useRef, useState } from 'react';
import { useServices, useSettings } from '../../app/services';
import { type MaskEditor } from '../../mask/editor';
import { isEmpty, isFull } from '../../mask/mask';
import { encodeMask } from '../../mask/png';
import type { ProcessProgress, ProcessResult } from '../../processing/processor';
import { type Message, messageOf } from '../../state/message';
import { enlargementOf } from '../../state/settings';

export interface Erasing {
  progress: ProcessProgress | null;
  isRunning: boolean;
  message: Message | null;
  run: (file: Blob, fileName: string, editor: MaskEditor) => Promise<void>;
  cancel: () => void;
  clearMessage: () => void;
}

interface Options {
  model: string | null;
  isEnlarging: boolean;
  onResult: (result: ProcessResult) => void;
}

/** One erasing at a time; it ends with the component. */
export function useErasing({ model, isEnlarging, onResult }: Options): Erasing {
  const { processor } = useServices();
  const [settings] = useSettings();
  const [progress, setProgress] = useState<ProcessProgress | null>(null);
  const [isRunning, setRunning] = useState(false);
  const [message, setMessage] = useState<Message | null>(null);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(new DOMException('closed', 'AbortError')), []);

  const run = async (file: Blob, fileName: string, editor: MaskEditor) => {
    if (isEmpty(editor.mask) || isFull(editor.mask)) {
      setMessage({ key: isEmpty(editor.mask) ? 'erase.nothing' : 'erase.everything', retryable: false });
      return;
    }
    const own = new AbortController();
    controller.current = own;
    setRunning(true);
    setMessage(null);
    try {
      const result = await processor.process(
        { file, fileName, mask: await encodeMask(editor.mask) },
        {
          task: 'inpaint',
          model,
          maskGrowPx: settings.maskGrowPx,
          maskFeatherPx: settings.maskFeatherPx,
          thenUpscale: isEnlarging ? enlargementOf(settings, false) : null,
          // It may be erased in again, so nothing may be lost on the way.
          format: 'png',
          quality: null,
          firstFrame: true,
        },
        setProgress,
        own.signal,
      );
      onResult(result);
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
    clearMessage: () => setMessage(null),
  };
}
