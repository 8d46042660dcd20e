import type { OutputFormat } from '../../../api/constants';
import type { Size } from '../../../imaging/geometry';
import type { Channels } from '../../../imaging/pixels';
import { PngWriter } from '../../../imaging/png/writer';
import { isCanvasExact } from '../../../imaging/readback';
import { ProcessError } from '../../../lib/errors';
import type { TaskOptions } from '../../options';
import { CanvasWriter } from './canvasWriter';
import { TimedWriter } from './timedWriter';

/** Raises ProcessError `format-unavailable`. */
export async function requireWritable(format: OutputFormat): Promise<void> {
  if (format === 'png') return;
  if ((format === 'jpeg' || format === 'webp') && (await isCanvasExact())) return;
  throw new ProcessError('format-unavailable', `this browser cannot write ${format}`);
}

/** Raises ProcessError `too-large` if the format cannot hold the size. */
export function openWriter({ format, quality }: TaskOptions, size: Size, channels: Channels): TimedWriter {
  const isByCanvas = format === 'jpeg' || format === 'webp';
  const writer = isByCanvas
    ? new CanvasWriter(size, channels, format, quality)
    : new PngWriter(size, channels);
  return new TimedWriter(writer);
}
