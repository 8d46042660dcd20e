/** An image's way through a network: tiles of its mirrored self, stitched, resized, written. */

import type { Size } from '../image/geometry';
import type { Pixels, RowWriter } from '../image/pixels';
import { bleedColour } from '../image/alpha';
import { Canvas } from './canvas';
import { EDGE_MARGIN_PX, mirrored, withMargin, withoutMargin } from './edges';
import { enlargedWindow } from './planes';
import { planTiles, tileCount, tilesOf } from './planner';
import { resized } from './resize';

/** A network that is ready. */
export interface Enlarger {
  scale: number;
  /** The tiles' overlap: what is farther away has no influence. */
  receptiveFieldPx: number;
  /** Longest side of a tile. */
  tilePx: number;
  /** (1, 3, heightPx, widthPx) in [0, 1] to the same, `scale` times as large. */
  run: (plane: Float32Array<ArrayBuffer>, size: Size) => Promise<Float32Array>;
}

/** Writes the enlargement's rows, `target` in all. onTile: told before the first tile and after each. */
export async function enlarge(
  image: Pixels,
  target: Size,
  network: Enlarger,
  writer: RowWriter,
  onTile: (done: number, total: number) => void,
): Promise<void> {
  const { scale } = network;
  const source = bleedColour(image);
  const native = { widthPx: image.widthPx * scale, heightPx: image.heightPx * scale };
  const inside = withoutMargin(
    resized(native, target, image.channels, writer),
    native,
    EDGE_MARGIN_PX * scale,
    image.channels,
  );
  const plan = planTiles(withMargin(image), {
    tilePx: network.tilePx,
    overlapPx: network.receptiveFieldPx,
  });
  const canvas = new Canvas(plan, scale, image.channels, inside);
  const total = tileCount(plan);
  onTile(0, total);
  for (const tile of tilesOf(plan)) {
    const window = {
      columns: mirrored(tile.column.window, image.widthPx),
      rows: mirrored(tile.row.window, image.heightPx),
    };
    const output = await enlargedWindow(source, window, scale, (plane) => network.run(plane, plan.tile));
    await canvas.put(tile, output);
    onTile(tile.index + 1, total);
  }
}
