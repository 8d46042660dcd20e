/**
 * onnxruntime-web, loaded when it is needed: with WebGPU if this machine has it, else in WebAssembly with as many
 * threads as the page may have. There are two builds, and the one without WebGPU is half as large.
 *
 * Its glue code and its WebAssembly are assets of the app. The glue code is a file by itself, outside every bundle,
 * since it starts its threads from its own address.
 */

import type * as Ort from 'onnxruntime-web';
import gpuGlueUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import gpuWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import cpuGlueUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import cpuWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { ProcessError } from '../../../lib/errors';
import { kept } from './assetCache';

export type Provider = 'webgpu' | 'wasm';

export interface Runtime {
  ort: typeof Ort;
  provider: Provider;
  threads: number;
}

/** With small networks, more threads would wait for one another. */
const MAX_THREADS = 8;

/** The part of WebGPU that is used here; not every DOM library declares it. */
interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<GpuAdapter | null>;
}
interface GpuAdapter {
  isFallbackAdapter?: boolean;
  info?: { isFallbackAdapter?: boolean };
}

/** Raises ProcessError `browser-unavailable`; it is retryable if files could not be fetched. */
export async function loadRuntime(): Promise<Runtime> {
  if (typeof WebAssembly === 'undefined') {
    throw new ProcessError('browser-unavailable', 'this browser has no WebAssembly');
  }
  const provider = await providerHere();
  const threads = self.crossOriginIsolated ? Math.min(MAX_THREADS, navigator.hardwareConcurrency || 1) : 1;
  try {
    const ort = await loadModule(provider);
    const [mjs, wasm] = filesOf(provider);
    ort.env.wasm.wasmPaths = { mjs: absolute(mjs), wasm: absolute(wasm) };
    ort.env.wasm.numThreads = threads;
    // If the file was not kept, the runtime fetches it, and compiles it meanwhile.
    const binary = await kept(absolute(wasm));
    if (binary !== null) ort.env.wasm.wasmBinary = await binary.arrayBuffer();
    ort.env.logLevel = 'error';
    return { ort, provider, threads };
  } catch (error) {
    throw new ProcessError('browser-unavailable', `the runtime could not be loaded: ${String(error)}`, {
      retryable: true,
      cause: error,
    });
  }
}

/** Loads the small files, and returns the address of the large one that the first session reads. */
export async function prefetchRuntime(): Promise<string> {
  const provider = await providerHere();
  const [mjs, wasm] = filesOf(provider);
  await Promise.all([loadModule(provider), fetch(mjs).then((response) => response.arrayBuffer())]);
  return absolute(wasm);
}

export function describe({ provider, threads }: Runtime): string {
  if (provider === 'webgpu') return 'webgpu';
  return threads === 1 ? 'wasm, 1 thread' : `wasm, ${threads} threads`;
}

function loadModule(provider: Provider): Promise<typeof Ort> {
  return provider === 'webgpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm');
}

function filesOf(provider: Provider): [mjs: string, wasm: string] {
  return provider === 'webgpu' ? [gpuGlueUrl, gpuWasmUrl] : [cpuGlueUrl, cpuWasmUrl];
}

/** The runtime would resolve a relative address against its own. */
function absolute(url: string): string {
  return new URL(url, self.location.href).href;
}

async function providerHere(): Promise<Provider> {
  const { gpu } = navigator as Navigator & { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  // An adapter that computes on the processor is slower than WebAssembly.
  const isReal = adapter && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false);
  return isReal ? 'webgpu' : 'wasm';
}
