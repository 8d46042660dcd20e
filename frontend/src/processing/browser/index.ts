/**
 * Processing in this browser. Nothing leaves the machine.
 *
 * This is the whole of what the rest of the app knows of the engine: `createBrowserProcessor()`, and
 * `prefetchEngine()`. The engine's own files lie beside this one and are imported by nobody else:
 *
 * - `engine.ts`, the page's side of the worker, and `worker/`, what runs in it: the runtime, the networks, a job.
 * - `enlarge/`: tiles, stitching, edges, resizing, as the service does it. `image/`, `codec/`: pixels and files.
 * - `erase/`, `fill/`: from a mask to what fills it.
 * - `models/`: what training/browser.py wrote (`npm run models`).
 *
 * All of it, this module apart, loads on demand. What is fetched lies under /assets/ with a hash in its name.
 */

import { ProcessError, type Capabilities, type OutputFormat, type Processor } from '../processor';
import { MODELS } from './manifest';
import type { Engine } from './engine';

/** As the service's defaults. */
const MAX_INPUT_PIXELS = 50_000_000;
const MAX_OUTPUT_PIXELS = 256_000_000;

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
   * Fetches what the first job will need into the browser's cache, so that it can be done when the page's own
   * server is gone by then: some megabytes. Resolves with whether it did: false where it is not wanted or fails.
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
        maxInputPixels: MAX_INPUT_PIXELS,
        maxOutputPixels: MAX_OUTPUT_PIXELS,
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

/** Browsers without an encoder for WebP write a PNG instead, and say so only afterwards. */
async function writableFormats(): Promise<OutputFormat[]> {
  const blob = await new Promise<Blob | null>((resolve) => {
    const canvas = new OffscreenCanvas(1, 1);
    // Without a context there is nothing to encode.
    canvas.getContext('2d');
    canvas.convertToBlob({ type: 'image/webp' }).then(resolve, () => resolve(null));
  });
  return blob?.type === 'image/webp' ? ['png', 'jpeg', 'webp'] : ['png', 'jpeg'];
}
