/**
 * Stitches tiles into finished rows and keeps no more than one row of tiles, as backend/pixelmend/imaging/canvas.py
 * does for tiles without a blend. All networks of the browser are tiled with an overlap of their receptive field, so
 * that a hard cut is exact.
 */

import { lengthOf } from '../../../imaging/geometry';
import type { Channels, RowWriter } from '../../../imaging/pixels';
import type { Tile, TilePlan } from './planner';

export class Canvas {
  private readonly plan: TilePlan;
  private readonly scale: number;
  private readonly channels: Channels;
  private readonly writer: RowWriter;
  private strip: Uint8ClampedArray<ArrayBuffer> | null = null;

  constructor(plan: TilePlan, scale: number, channels: Channels, writer: RowWriter) {
    this.plan = plan;
    this.scale = scale;
    this.channels = channels;
    this.writer = writer;
  }

  /** `output` is the tile's whole window, upscaled. Tiles come in the order of the plan. */
  async put(tile: Tile, output: Uint8ClampedArray): Promise<void> {
    const { plan, scale, channels } = this;
    const { column, row } = tile;
    const widthPx = plan.size.widthPx * scale;
    const rows = lengthOf(row.core) * scale;
    this.strip ??= new Uint8ClampedArray(widthPx * rows * channels);
    const windowBytes = lengthOf(column.window) * scale * channels;
    const left = (column.core.start - column.window.start) * scale * channels;
    const top = (row.core.start - row.window.start) * scale;
    const coreBytes = lengthOf(column.core) * scale * channels;
    for (let y = 0; y < rows; y += 1) {
      const from = (top + y) * windowBytes + left;
      const to = (y * widthPx + column.core.start * scale) * channels;
      this.strip.set(output.subarray(from, from + coreBytes), to);
    }
    if ((tile.index + 1) % plan.columns.length !== 0) return;
    const finished = this.strip;
    this.strip = null;
    await this.writer.write(finished);
  }
}
