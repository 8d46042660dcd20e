/** Networks that are ready to run. If the GPU fails, they go on in WebAssembly. */

import type * as Ort from 'onnxruntime-web';
import { ProcessError } from '../../../lib/errors';
import type { Upscaler } from '../upscale/upscale';
import type { Size } from '../../../imaging/geometry';
import { NETWORKS, type ChosenNetwork, type NetworkEntry } from '../manifest';
import { mixedWeights } from './float16';
import { describe, loadRuntime, prefetchRuntime, type Runtime } from './runtime';
import { keep, kept } from './assetCache';

/** All files of the folder, so that another network needs no code. */
const URLS = import.meta.glob<string>('../models/*.onnx', { query: '?url', import: 'default', eager: true });

/** Longest side of a tile. A GPU has to finish one before its watchdog ends it. */
const TILE_PX = { webgpu: 256, wasm: 192 } as const;
/** A network has collapsed if its output varies by less than the one while its input varies by more than the other. */
const FLAT_OUTPUT_RANGE = 1 / 255;
const VARIED_INPUT_RANGE = 64 / 255;

export type OnBytes = (done: number, total: number) => void;

export class Networks {
  private runtime: Runtime | null = null;
  private open: { key: string; session: Ort.InferenceSession; bytes: Uint8Array<ArrayBuffer> } | null = null;
  /** Why the GPU is no longer used; null if it is, or never was. */
  gpuFailure: string | null = null;

  /** Loads the runtime and the weights unless they are loaded. `onBytes` counts the weights. */
  async use(chosen: ChosenNetwork, onBytes: OnBytes): Promise<Upscaler> {
    this.runtime ??= await loadRuntime();
    const { entry } = chosen;
    const key = keyOf(chosen);
    if (this.open?.key !== key) {
      await this.open?.session.release();
      this.open = null;
      const bytes = await weightsOf(chosen, onBytes);
      this.open = { key, bytes, session: await this.createSession(bytes) };
    }
    return {
      scale: entry.scale,
      receptiveFieldPx: entry.receptiveFieldPx,
      tilePx: TILE_PX[this.runtime.provider],
      run: (plane, size) => this.run(plane, size),
    };
  }

  /** What computes, as people read it. */
  get device(): string {
    return this.runtime === null ? 'wasm' : describe(this.runtime);
  }

  private async createSession(bytes: Uint8Array<ArrayBuffer>): Promise<Ort.InferenceSession> {
    const runtime = this.runtime as Runtime;
    try {
      return await runtime.ort.InferenceSession.create(bytes, { executionProviders: [runtime.provider] });
    } catch (error) {
      if (runtime.provider === 'wasm') throw error;
      this.leaveGpu(String(error));
      return this.createSession(bytes);
    }
  }

  private async run(plane: Float32Array<ArrayBuffer>, size: Size): Promise<Float32Array> {
    const { provider } = this.runtime as Runtime;
    let failure: string;
    try {
      const output = await this.runOnce(plane, size);
      const fault = provider === 'webgpu' ? faultOf(plane, output) : null;
      if (fault === null) return output;
      failure = fault;
    } catch (error) {
      if (provider === 'wasm') throw error;
      failure = String(error);
    }
    // The device was lost, or computes wrongly: WebAssembly computes this tile again and all that follow.
    this.leaveGpu(failure);
    const { open } = this;
    if (open === null) throw new ProcessError('failed', failure);
    await open.session.release().catch(() => undefined);
    open.session = await this.createSession(open.bytes);
    return this.runOnce(plane, size);
  }

  private async runOnce(plane: Float32Array<ArrayBuffer>, size: Size): Promise<Float32Array> {
    const { ort } = this.runtime as Runtime;
    const { open } = this;
    if (open === null) throw new ProcessError('failed', 'no network is open');
    const pixels = new ort.Tensor('float32', plane, [1, 3, size.heightPx, size.widthPx]);
    // The exported networks name their output so.
    const { enlarged: output } = await open.session.run({ pixels });
    if (output === undefined) throw new ProcessError('failed', 'the network has no output');
    const values = (await output.getData(true)) as Float32Array;
    pixels.dispose();
    return values;
  }

  private leaveGpu(why: string): void {
    this.gpuFailure = why;
    this.runtime = { ...(this.runtime as Runtime), provider: 'wasm' };
  }
}

/** Fetches and keeps what the first job usually needs. */
export async function prefetch(): Promise<void> {
  const wasm = await prefetchRuntime();
  const first = NETWORKS[0];
  await keep(first === undefined ? [wasm] : [wasm, urlOf(first)]);
}

function keyOf({ entry, mixedIn }: ChosenNetwork): string {
  return [entry.id, ...mixedIn.map((part) => `${part.entry.id} ${part.share}`)].join(' ');
}

async function weightsOf(
  { entry, mixedIn, halves }: ChosenNetwork,
  onBytes: OnBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  const total = mixedIn.reduce((sum, part) => sum + part.entry.bytes, entry.bytes);
  let before = 0;
  const fetched = async (one: NetworkEntry) => {
    const bytes = await fetchBytes(one, (done) => onBytes(before + done, total));
    before += one.bytes;
    return bytes;
  };
  let weights = await fetched(entry);
  for (const { entry: partner, share } of mixedIn) {
    const other = await fetched(partner);
    if (weights.length !== other.length || halves === null) {
      throw new ProcessError('failed', `${entry.id} and ${partner.id} cannot be mixed`);
    }
    weights = mixedWeights(weights, other, halves, share);
  }
  return weights;
}

function urlOf(entry: NetworkEntry): string {
  const url = URLS[`../models/${entry.file}`];
  if (url === undefined) throw new ProcessError('model-unavailable', `this build has no file of ${entry.id}`);
  return new URL(url, self.location.href).href;
}

async function fetchBytes(entry: NetworkEntry, onBytes: OnBytes): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(entry.bytes);
  let done = 0;
  onBytes(0, entry.bytes);
  try {
    const url = urlOf(entry);
    const response = (await kept(url)) ?? (await fetch(url));
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    const reader = response.body.getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      bytes.set(step.value, done);
      done += step.value.length;
      onBytes(done, entry.bytes);
    }
    if (done !== entry.bytes) throw new Error(`${done} bytes of ${entry.bytes}`);
  } catch (error) {
    if (error instanceof ProcessError) throw error;
    throw new ProcessError('browser-unavailable', `${entry.file} could not be loaded: ${String(error)}`, {
      retryable: true,
      cause: error,
    });
  }
  return bytes;
}

/** What is wrong with a GPU's output; null if no fault is found. */
function faultOf(plane: Float32Array, output: Float32Array): string | null {
  const after = rangeOf(output);
  if (!Number.isFinite(after)) return 'not finite';
  if (after > FLAT_OUTPUT_RANGE || rangeOf(plane) < VARIED_INPUT_RANGE) return null;
  return 'collapsed to a flat value';
}

/** NaN if any value is NaN or infinite. */
function rangeOf(values: Float32Array): number {
  let least = Infinity;
  let most = -Infinity;
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    sum += value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return Number.isFinite(sum) ? most - least : NaN;
}
