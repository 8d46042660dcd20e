import { expect, test } from 'vitest';
import {
  planTiles,
  tileCount,
  tilesOf,
  type AxisTile,
} from '../../../src/processing/browser/upscale/planner';
import { json, type Case } from './fixtures';

const flat = (tile: AxisTile) =>
  [tile.window, tile.core, tile.paste].flatMap((span) => [span.start, span.stop]);

test.each(json<Case[]>('tiling_cases.json'))('plans $size as the service with $demands', (wanted) => {
  const [widthPx, heightPx] = wanted.size;
  const { tile_px, overlap_px, multiple_of, minimum_px, blend_px } = wanted.demands;
  const plan = planTiles(
    { widthPx, heightPx },
    {
      tilePx: tile_px,
      overlapPx: overlap_px,
      multipleOf: multiple_of,
      minimumPx: minimum_px,
      blendPx: blend_px,
    },
  );
  expect(plan.columns.map(flat)).toEqual(wanted.columns);
  expect(plan.rows.map(flat)).toEqual(wanted.rows);
  expect([plan.padded.widthPx, plan.padded.heightPx]).toEqual(wanted.padded);
  expect([plan.tile.widthPx, plan.tile.heightPx]).toEqual(wanted.tile);
  expect([...tilesOf(plan)].map((tile) => tile.index)).toEqual([...Array(tileCount(plan)).keys()]);
});

test('tiles that leave no core, and blends wider than the overlap, are refused', () => {
  const size = { widthPx: 500, heightPx: 500 };
  expect(() => planTiles(size, { tilePx: 36, overlapPx: 18 })).toThrow('needs 37 px');
  expect(() => planTiles(size, { tilePx: 100, overlapPx: 4, blendPx: 5 })).toThrow(RangeError);
});
