/**
 * onnxruntime-web, loaded when it is needed: with WebGPU where this machine has it, else in WebAssembly with as
 * many threads as the page may have. The two are builds of their own, and the one without WebGPU is half as large.
 *
 * Its glue and its WebAssembly are assets of ours. The glue is a file by itself, not part of a bundle, since it
 * starts its threads from its own address.
 */

import type * as Ort from 'onnxruntime-web';
import gpuGlueUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import gpuWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import cpuGlueUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import cpuWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { ProcessError } from '../../processor';
import { kept } from './store';

export type Provider = 'webgpu' | 'wasm';

export interface Runtime {
  ort: typeof Ort;
  provider: Provider;
  threads: number;
}

/** More threads than that wait for one another with networks as small as ours. */
const MAX_THREADS = 8;

/** As much of WebGPU as is asked here; not every DOM library declares it. */
interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<GpuAdapter | null>;
}
interface GpuAdapter {
  isFallbackAdapter?: boolean;
  info?: { isFallbackAdapter?: boolean };
}

/** Raises ProcessError `browser-unavailable`, which a later try may overcome where files could not be fetched. */
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
    // Without it the runtime fetches the file itself, and compiles it meanwhile.
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

/** Loads what is small, and names the large file that the first session reads, for whoever fetches it ahead. */
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

/** The runtime takes a relative address as one beside itself. */
function absolute(url: string): string {
  return new URL(url, self.location.href).href;
}

async function providerHere(): Promise<Provider> {
  const { gpu } = navigator as Navigator & { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  // One that is computed on the processor is slower than WebAssembly.
  const isReal = adapter && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false);
  return isReal ? 'webgpu' : 'wasm';
}
