/** What a network sees beyond the edge of an image, as in backend/pixelmend/imaging/edges.py. */

import type { Size, Span } from '../../../imaging/geometry';
import type { Pixels, RowWriter } from '../../../imaging/pixels';

/** With at least 6 px, the zeros that pad the convolutions leave no trace in flat areas (docs/adr/0004-edges.md). */
export const EDGE_MARGIN_PX = 8;

/** The size of an image that is extended by the margin on every side. */
export function withMargin(size: Size): Size {
  return { widthPx: size.widthPx + 2 * EDGE_MARGIN_PX, heightPx: size.heightPx + 2 * EDGE_MARGIN_PX };
}

/**
 * Which rows (or columns) of an image of `lengthPx` stand for those of `span`, if the image is extended without end by
 * its mirror images, edge pixels included. Place 0 of `span` lies outside the image, at a distance of the margin.
 */
export function mirrored(span: Span, lengthPx: number): Int32Array {
  const period = 2 * lengthPx;
  return Int32Array.from({ length: span.stop - span.start }, (_, i) => {
    const place = (((span.start + i - EDGE_MARGIN_PX) % period) + period) % period;
    return Math.min(place, period - 1 - place);
  });
}

/** Takes the rows of an upscaled image with its margin, and passes on what lies inside. `size` is the result's. */
export function withoutMargin(
  writer: RowWriter,
  size: Size,
  marginPx: number,
  channels: Pixels['channels'],
): RowWriter {
  let seenRows = 0;
  const rowBytes = (size.widthPx + 2 * marginPx) * channels;
  const innerBytes = size.widthPx * channels;
  return {
    write: async (rows) => {
      const count = rows.length / rowBytes;
      const first = Math.max(0, marginPx - seenRows);
      const last = Math.min(count, marginPx + size.heightPx - seenRows);
      seenRows += count;
      if (first >= last) return;
      const inner = new Uint8ClampedArray((last - first) * innerBytes);
      for (let y = first; y < last; y += 1) {
        const from = y * rowBytes + marginPx * channels;
        inner.set(rows.subarray(from, from + innerBytes), (y - first) * innerBytes);
      }
      await writer.write(inner);
    },
  };
}
