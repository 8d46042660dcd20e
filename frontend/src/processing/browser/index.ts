/**
 * Processing in this browser. Nothing leaves the machine.
 *
 * This is the whole of what the rest of the app knows of the engine: `createBrowserProcessor()`. The engine's
 * own files (planner, blending, worker, filling) lie beside this one and are imported by nobody else. What it
 * has to keep to:
 * - The inference runtime, the weights and the worker load on demand, in `process`, by dynamic `import()`;
 *   this module is part of the first load, so it stays small.
 * - Files are named through Vite (`new URL('./x.onnx', import.meta.url)`, `?url`, `new Worker(new URL(...))`),
 *   so that they lie under /assets/ with a hash: the service serves nothing else, for ever, with
 *   Cross-Origin-Resource-Policy. Its content security policy allows 'self', blob: workers and wasm, no eval.
 * - Fetch nothing but such files.
 * - WebAssembly memory never shrinks: end the worker when it was idle for a while, and on abort.
 *
 * Until the engine is here, it says so.
 */

import { ProcessError, type Capabilities, type Processor } from '../processor';

const REASON = 'This build has no engine for the browser.';

const NOTHING: Capabilities = {
  available: false,
  reason: REASON,
  reasonKey: 'noEngine',
  models: [],
  formats: [],
  maxInputPixels: null,
  maxOutputPixels: null,
};

export function createBrowserProcessor(): Processor {
  return {
    capabilities: () => Promise.resolve(NOTHING),
    process: () => Promise.reject(new ProcessError('browser-unavailable', REASON)),
  };
}
