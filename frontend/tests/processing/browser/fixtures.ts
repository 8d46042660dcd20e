/** Reads the files that tests/browser/fixtures.py wrote. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BitMask } from '../../../src/processing/browser/fill/planes';

const FOLDER = resolve(import.meta.dirname, '../../../../tests/fixtures');

export function bytesOf(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(resolve(FOLDER, name)));
}

export function json<T>(name: string): T {
  return JSON.parse(readFileSync(resolve(FOLDER, name), 'utf8')) as T;
}

export interface Case {
  size: [number, number];
  demands: {
    tile_px: number;
    overlap_px: number;
    multiple_of?: number;
    minimum_px?: number;
    blend_px?: number;
  };
  padded: [number, number];
  tile: [number, number];
  columns: number[][];
  rows: number[][];
}

export interface Plan {
  contextPx: number;
  bounds: number[];
  crops: number[][];
}

export interface FillCases {
  psnr: { photo: string; hole: 'box' | 'wave'; psnrDb: number }[];
  distance: { limitPx: number; hole: string[]; squared: number[] };
  margins: { hole: string[]; growPx: number; grown: string[]; featherPx: number; weights: number[] };
  holes: { size: [number, number]; rects: number[][]; plans: Record<string, Plan[]> };
  structure: { pixels: number[]; size: [number, number]; hole: string[]; filled: number[] };
  bleed: { size: [number, number]; pixels: number[]; bled: number[] };
}

/** From rows of 0 and 1. */
export function maskOf(rows: readonly string[]): BitMask {
  return {
    widthPx: rows[0]?.length ?? 0,
    heightPx: rows.length,
    data: Uint8Array.from(rows.join(''), Number),
  };
}
