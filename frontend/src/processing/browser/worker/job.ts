import { lossesOf } from '../../../imaging/losses';
import { withProfile } from '../../../imaging/profile/writer';
import type { Note } from '../../processor';
import { decodeImage } from '../codec/decode';
import { requireWritable } from '../codec/openWriter';
import { prepareWork } from '../tasks';
import type { Networks } from './networks';
import type { Finished, Job, StageProgress } from './workerApi';

/** Parts of the progress bar; the task has the rest. */
const DECODING_SHARE = 0.02;
const ENCODING_SHARE = 0.03;

/** Decodes, computes, encodes. Raises ProcessError, and what the runtime and the browser raise. */
export async function runJob(
  { file, mask, options }: Job,
  networks: Networks,
  report: (progress: StageProgress) => void,
): Promise<Finished> {
  await requireWritable(options.format);
  const work = prepareWork(options);
  const startedMs = performance.now();
  report({ stage: 'decoding', done: 0, total: 0, fraction: 0 });
  const bytes = new Uint8Array(await file.arrayBuffer());
  // A canvas, which makes the other formats, has colour always.
  const { pixels: image, profile, hadProfile } = await decodeImage(file, bytes, options.format === 'png');
  const notes = lossNotes([...(hadProfile && profile === null ? ['icc'] : []), ...lossesOf(bytes)]);
  const decodedMs = performance.now();
  const bar = { from: DECODING_SHARE, to: 1 - ENCODING_SHARE };
  const { writer, size, model, device } = await work({ image, mask, networks, notes, bar, report });
  const computedMs = performance.now();
  report({ stage: 'encoding', done: 0, total: 0, fraction: bar.to });
  const spentMs = writer.elapsedMs;
  const made = await writer.finish();
  const blob = profile === null ? made : await withProfile(made, profile);
  return {
    blob,
    width: size.widthPx,
    height: size.heightPx,
    model,
    device,
    notes,
    decodeMs: decodedMs - startedMs,
    computeMs: computedMs - decodedMs - spentMs,
    encodeMs: performance.now() - computedMs + spentMs,
  };
}

/** losses: the service's names for them. */
function lossNotes(losses: string[]): Note[] {
  const what = losses.join(', ');
  return what === '' ? [] : [{ key: 'notKept', values: { what }, text: `Not kept: ${what}` }];
}
