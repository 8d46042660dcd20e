import { OUTPUT_FORMATS } from '../api/constants';
import type { Size } from '../imaging/geometry';

/** The name of a file that has none, for example one from the clipboard. */
export function nameOf(file: File): string {
  return file.name || 'image.png';
}

/** The name of a result: the name of its input, and its own size. */
export function resultName(fileName: string, { widthPx, heightPx }: Size, mediaType: string): string {
  const stem = fileName.replace(/\.[^.]{1,5}$/, '') || 'image';
  return `${stem}-${widthPx}x${heightPx}${extensionOf(mediaType)}`;
}

function extensionOf(mediaType: string): string {
  const bare = mediaType.split(';')[0];
  const format = Object.values(OUTPUT_FORMATS).find((known) => known.mediaType === bare);
  return (format ?? OUTPUT_FORMATS.png).extension;
}
