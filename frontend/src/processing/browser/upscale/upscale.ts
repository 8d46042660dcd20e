/** Takes an image through a network: tiles of the mirrored image, stitched, resized, written. */

import type { Size } from '../../../imaging/geometry';
import type { Pixels, RowWriter } from '../../../imaging/pixels';
import { bleedColour } from '../alpha';
import { Canvas } from './canvas';
import { EDGE_MARGIN_PX, mirrored, withMargin, withoutMargin } from './edges';
import { upscaledWindow } from './planes';
import { planTiles, tileCount, tilesOf } from './planner';
import { resized } from './resize';

/** A network that is ready to run. */
export interface Upscaler {
  scale: number;
  /** The overlap of tiles. Pixels that are farther away have no influence. */
  receptiveFieldPx: number;
  /** Longest side of a tile. */
  tilePx: number;
  /** From (1, 3, heightPx, widthPx) in [0, 1] to the same, `scale` times as large. */
  run: (plane: Float32Array<ArrayBuffer>, size: Size) => Promise<Float32Array>;
}

/** Writes the rows of a result of size `target`. `onTile` is called before the first tile and after each. */
export async function upscale(
  image: Pixels,
  target: Size,
  network: Upscaler,
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
    const output = await upscaledWindow(source, window, scale, (plane) => network.run(plane, plan.tile));
    await canvas.put(tile, output);
    onTile(tile.index + 1, total);
  }
}
