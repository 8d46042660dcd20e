/** One job: decode, remove what is asked, enlarge if asked, encode. */

import {
  ProcessError,
  type Enlargement,
  type InpaintOptions,
  type Note,
  type OutputFormat,
  type ProcessOptions,
} from '../../processor';
import { CanvasWriter } from '../codec/canvasWriter';
import { decodeImage } from '../codec/decode';
import { lossesOf } from '../codec/losses';
import { PngWriter } from '../codec/pngWriter';
import type { ImageWriter } from '../codec/writer';
import { enlarge } from '../enlarge/enlarge';
import { sizeFor } from '../enlarge/target';
import { erase } from '../erase/erase';
import type { Size } from '../image/geometry';
import { cutOut, type Pixels } from '../image/pixels';
import { choose, FILL_ID } from '../manifest';
import type { Networks } from './networks';
import type { Finished, StageProgress } from './protocol';

export interface Job {
  file: Blob;
  mask: Blob | null;
  options: ProcessOptions;
}

type Tell = (progress: StageProgress) => void;

/** Of the whole bar. */
const SHARES = { loading: 0.05, decoding: 0.02, encoding: 0.03 } as const;
/** Of computing, where something is removed and then enlarged. */
const ERASE_SHARE = 0.3;
const SAVED_ROWS = 256;

/** Raises ProcessError, and whatever the runtime and the browser raise. */
export async function runJob(job: Job, networks: Networks, tell: Tell): Promise<Finished> {
  const { options } = job;
  const enlargement = options.task === 'upscale' ? options : options.thenUpscale;
  // Refused before anything is loaded.
  if (!isWritable(options.format)) {
    throw new ProcessError('format-unavailable', `this browser cannot write ${options.format}`);
  }
  if (options.task === 'inpaint' && options.model !== null && options.model !== FILL_ID) {
    throw new ProcessError('model-unavailable', `this browser has no model ${options.model}`);
  }
  const chosen = enlargement === null ? null : choose(enlargement);
  const startedMs = performance.now();
  tell({ stage: 'decoding', done: 0, total: 0, fraction: 0 });
  const bytes = new Uint8Array(await job.file.arrayBuffer());
  let image = await decodeImage(job.file, bytes);
  const notes = lossNotes(bytes);
  const decodedMs = performance.now();
  const bar: { at: number; end: number } = { at: SHARES.decoding, end: 1 - SHARES.encoding };
  let device = 'javascript';
  if (options.task === 'inpaint') {
    const end = enlargement === null ? bar.end : bar.at + ERASE_SHARE * (bar.end - bar.at);
    image = await removed(image, job.mask, options, notes, (done, total) =>
      tell({ stage: 'computing', done, total, fraction: between(bar.at, end, done, total) }),
    );
    bar.at = end;
  }
  const [writer, size, encodeMs] =
    enlargement === null || chosen === null
      ? await saved(image, options)
      : await enlarged(image, options, enlargement);
  return finish(writer, size, encodeMs);

  async function enlarged(
    source: Pixels,
    output: ProcessOptions,
    wanted: Enlargement,
  ): Promise<[TimedWriter, Size, number]> {
    if (chosen === null) throw new ProcessError('failed', 'no network was chosen');
    const loaded = bar.at + SHARES.loading;
    const network = await networks.use(chosen, (done, total) =>
      tell({ stage: 'loading-model', done, total, fraction: between(bar.at, loaded, done, total) }),
    );
    const target =
      wanted.target.kind === 'scale' || wanted.target.widthPx !== null || wanted.target.heightPx !== null
        ? wanted.target
        : { kind: 'scale' as const, factor: network.scale };
    const size = sizeFor(source, target);
    const timed = new TimedWriter(openWriter(output.format, output.quality, size, source));
    await enlarge(source, size, network, timed, (done, total) =>
      tell({ stage: 'computing', done, total, fraction: between(loaded, bar.end, done, total) }),
    );
    device = networks.device;
    if (networks.gpuFailure !== null) {
      notes.push({ key: 'gpuFailed', text: `The GPU failed: ${networks.gpuFailure}` });
    }
    return [timed, size, timed.elapsedMs];
  }

  async function finish(timed: TimedWriter, size: Size, spentMs: number): Promise<Finished> {
    const computedMs = performance.now();
    tell({ stage: 'encoding', done: 0, total: 0, fraction: bar.end });
    const blob = await timed.finish();
    return {
      blob,
      width: size.widthPx,
      height: size.heightPx,
      model: chosen?.entry.id ?? FILL_ID,
      device,
      notes,
      decodeMs: decodedMs - startedMs,
      computeMs: computedMs - decodedMs - spentMs,
      encodeMs: performance.now() - computedMs + spentMs,
    };
  }
}

async function removed(
  image: Pixels,
  mask: Blob | null,
  options: InpaintOptions,
  notes: Note[],
  onProgress: (done: number, total: number) => void,
): Promise<Pixels> {
  if (mask === null) throw new ProcessError('failed', 'there is no mask');
  const drawn = await decodeImage(mask, new Uint8Array(await mask.arrayBuffer()));
  const erased = erase(image, drawn, options, onProgress);
  if (erased.areaPx === 0) {
    notes.push({ key: 'emptyMask', text: 'The mask is empty: nothing was removed.' });
  }
  return erased.pixels;
}

/** The image at its own size. */
async function saved(image: Pixels, options: ProcessOptions): Promise<[TimedWriter, Size, number]> {
  const writer = new TimedWriter(openWriter(options.format, options.quality, image, image));
  for (let top = 0; top < image.heightPx; top += SAVED_ROWS) {
    const rows = { start: top, stop: Math.min(top + SAVED_ROWS, image.heightPx) };
    await writer.write(cutOut(image, { x: { start: 0, stop: image.widthPx }, y: rows }).data);
  }
  return [writer, { widthPx: image.widthPx, heightPx: image.heightPx }, writer.elapsedMs];
}

function isWritable(format: OutputFormat): format is 'png' | 'jpeg' | 'webp' {
  return format === 'png' || format === 'jpeg' || format === 'webp';
}

function openWriter(format: OutputFormat, quality: number | null, size: Size, source: Pixels): ImageWriter {
  if (format === 'jpeg' || format === 'webp') return new CanvasWriter(size, source.channels, format, quality);
  return new PngWriter(size, source.channels);
}

/** Says how much of the time was spent waiting for the encoder. */
class TimedWriter implements ImageWriter {
  private readonly writer: ImageWriter;
  elapsedMs = 0;

  constructor(writer: ImageWriter) {
    this.writer = writer;
  }

  async write(rows: Uint8ClampedArray<ArrayBuffer>): Promise<void> {
    const startedMs = performance.now();
    await this.writer.write(rows);
    this.elapsedMs += performance.now() - startedMs;
  }

  finish(): Promise<Blob> {
    return this.writer.finish();
  }
}

function lossNotes(bytes: Uint8Array): Note[] {
  const what = lossesOf(bytes).join(', ');
  return what === '' ? [] : [{ key: 'notKept', values: { what }, text: `Not kept: ${what}` }];
}

function between(from: number, to: number, done: number, total: number): number {
  return total > 0 ? from + ((to - from) * done) / total : from;
}
