/**
 * Processing in this browser. Nothing leaves the machine.
 *
 * The rest of the app knows the engine by `createBrowserProcessor()` alone. The engine's own files lie beside this one:
 *
 * - `engine.ts` and `startWorker.ts` are the page's side of the worker, and `worker/` runs in it: the runtime, the
 *   networks, a job.
 * - `tasks/` has the tasks that the engine can compute.
 * - `upscale/`: tiles, stitching, edges, resizing, as the service does it. `inpaint/`, `fill/`: from a mask to what
 *   fills it. `codec/`: from files to pixels and back, with the browser's decoders and encoders.
 * - `models/` is written by training/browser.py (`npm run models`).
 *
 * All of it except this module loads on demand. The files lie under /assets/ with a hash in their names.
 */

import { DEFAULT_LIMITS, type OutputFormat } from '../../api/constants';
import { isCanvasExact } from '../../imaging/readback';
import { ProcessError } from '../../lib/errors';
import type { Capabilities, Processor } from '../processor';
import type { Engine } from './engine';
import { MODELS } from './manifest';

const NOTHING: Capabilities = {
  available: false,
  reason: 'This browser is too old to compute images.',
  reasonKey: 'oldBrowser',
  models: [],
  formats: [],
  maxInputPixels: null,
  maxOutputPixels: null,
};

export interface BrowserProcessor extends Processor {
  /**
   * Fetches what the first job will need into the browser's cache: some megabytes. The job can then run even if the
   * page's own server is gone by then. Resolves with false if the user saves data, or if it fails.
   */
  prefetchEngine(): Promise<boolean>;
}

export function createBrowserProcessor(): BrowserProcessor {
  const once: { engine: Promise<Engine> | null } = { engine: null };
  const engine = () => {
    once.engine ??= import('./engine').then((module) => new module.Engine());
    // A chunk that could not be fetched may be fetched later.
    once.engine.catch(() => (once.engine = null));
    return once.engine;
  };
  return {
    capabilities: async () => {
      if (!isAble()) return NOTHING;
      return {
        available: true,
        reason: null,
        reasonKey: null,
        models: MODELS,
        formats: await writableFormats(),
        maxInputPixels: DEFAULT_LIMITS.max_input_pixels,
        maxOutputPixels: DEFAULT_LIMITS.max_output_pixels,
      };
    },
    process: async (input, options, onProgress, signal) => {
      signal.throwIfAborted();
      const loaded = await engine().catch((cause: unknown) => {
        throw new ProcessError('browser-unavailable', `the engine could not be loaded: ${String(cause)}`, {
          retryable: true,
          cause,
        });
      });
      signal.throwIfAborted();
      return loaded.process(input, options, onProgress, signal);
    },
    prefetchEngine: async () => {
      const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } };
      if (!isAble() || connection?.saveData === true) return false;
      return engine()
        .then((loaded) => loaded.prefetch())
        .then(
          () => true,
          () => false,
        );
    },
  };
}

function isAble(): boolean {
  return [typeof Worker, typeof WebAssembly, typeof OffscreenCanvas, typeof CompressionStream].every(
    (kind) => kind !== 'undefined',
  );
}

/**
 * JPEG and WebP are written from a canvas. A browser without an encoder for WebP writes a PNG instead, and only the type
 * of the result shows it.
 */
async function writableFormats(): Promise<OutputFormat[]> {
  if (!(await isCanvasExact())) return ['png'];
  const blob = await new Promise<Blob | null>((resolve) => {
    const canvas = new OffscreenCanvas(1, 1);
    // Without a context there is nothing to encode.
    canvas.getContext('2d');
    canvas.convertToBlob({ type: 'image/webp' }).then(resolve, () => resolve(null));
  });
  return blob?.type === 'image/webp' ? ['png', 'jpeg', 'webp'] : ['png', 'jpeg'];
}
