import { OUTPUT_FORMATS } from '../../../api/constants';
import { orientationOf, uprightExif } from '../../../imaging/headers/exif';
import { isJpeg } from '../../../imaging/headers/jpeg';
import { pngInfo } from '../../../imaging/headers/png';
import { exifOf } from '../../../imaging/metadata/exif';
import { extrasOf, hasProfileBlock } from '../../../imaging/metadata/extras';
import { holdsExif, withMetadata } from '../../../imaging/metadata/writer';
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
  const exif = exifOf(bytes);
  const { mediaType } = OUTPUT_FORMATS[options.format];
  // Chromium does not turn a WebP that says that it is turned: it stays as it is shown there, and says nothing.
  const keepsExif = exif !== null && isShownUpright(bytes, exif) && holdsExif(mediaType, exif);
  const notes = lossNotes({
    icc: hadProfile && profile === null,
    'icc-unusable': !hadProfile && hasProfileBlock(bytes),
    exif: exif !== null && !keepsExif,
    '16-bit': pngInfo(bytes)?.bits === 16,
    ...Object.fromEntries(extrasOf(bytes).map((name) => [name, true])),
  });
  const decodedMs = performance.now();
  const bar = { from: DECODING_SHARE, to: 1 - ENCODING_SHARE };
  const { writer, size, model, device } = await work({ image, mask, networks, notes, bar, report });
  const computedMs = performance.now();
  report({ stage: 'encoding', done: 0, total: 0, fraction: bar.to });
  const spentMs = writer.elapsedMs;
  const metadata = { profile, exif: keepsExif ? uprightExif(exif, size) : null };
  const blob = await withMetadata(await writer.finish(), metadata);
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

/** Whether all browsers show the picture as its Exif block says. */
function isShownUpright(bytes: Uint8Array, exif: Uint8Array): boolean {
  return isJpeg(bytes) || orientationOf(exif) === 1;
}

/** losses: by the service's names for them. */
function lossNotes(losses: Record<string, boolean>): Note[] {
  const what = Object.keys(losses)
    .filter((name) => losses[name])
    .join(', ');
  return what === '' ? [] : [{ key: 'notKept', values: { what }, text: `Not kept: ${what}` }];
}
