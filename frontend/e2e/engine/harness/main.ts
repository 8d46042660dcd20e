/** A page with nothing but the engine, for tests that call it. */

import { createBrowserProcessor } from '../../../src/processing/browser';
import type { TaskOptions } from '../../../src/processing/options';
import type { ProcessProgress } from '../../../src/processing/processor';

/** A result as values that can be passed from a page to the test. */
export interface Outcome {
  bytes: number[];
  type: string;
  width: number;
  height: number;
  device: string;
  model: string;
  notes: string[];
  progress: ProcessProgress[];
  failure: { name: string; code: string | null; message: string } | null;
}

declare global {
  interface Window {
    isolated: boolean;
    engine: ReturnType<typeof createBrowserProcessor>;
    run: (
      file: number[],
      options: TaskOptions,
      mask: number[] | null,
      abortAfterTiles: number | null,
    ) => Promise<Outcome>;
  }
}

window.isolated = window.crossOriginIsolated;
window.engine = createBrowserProcessor();
window.run = async (file, options, mask, abortAfterTiles) => {
  const progress: ProcessProgress[] = [];
  const control = new AbortController();
  const input = {
    file: new Blob([new Uint8Array(file)]),
    fileName: 'file',
    mask: mask === null ? undefined : new Blob([new Uint8Array(mask)]),
  };
  const onProgress = (now: ProcessProgress) => {
    progress.push(now);
    const isEnough = abortAfterTiles !== null && now.stage === 'computing' && now.done >= abortAfterTiles;
    if (isEnough) control.abort();
  };
  try {
    const result = await window.engine.process(input, options, onProgress, control.signal);
    const { width, height, device, model, notes, blob } = result;
    return {
      bytes: Array.from(new Uint8Array(await blob.arrayBuffer())),
      type: blob.type,
      width,
      height,
      device,
      model,
      notes: notes.map((note) => note.key ?? note.text),
      progress,
      failure: null,
    };
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    const failure = { name, message, code: code ?? null };
    const nothing = { bytes: [], type: '', width: 0, height: 0, device: '', model: '', notes: [] };
    return { ...nothing, progress, failure };
  }
};
