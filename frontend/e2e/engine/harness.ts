/** Builds a page that has nothing but the engine, and calls it. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { build } from 'vite';
import type { TaskOptions } from '../../src/processing/options';
import type { Outcome } from './harness/main';

export interface Harness {
  /** The folder of its files, which the service serves. */
  folder: string;
  remove: () => Promise<void>;
}

export async function buildHarness(): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'pixelmend-harness-'));
  await build({
    configFile: resolve(import.meta.dirname, '../../vite.config.ts'),
    root: resolve(import.meta.dirname, 'harness'),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, minify: false },
  });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

export interface Call {
  file: Uint8Array;
  options: TaskOptions;
  mask?: Uint8Array;
  /** Aborts when so many tiles are done. */
  abortAfterTiles?: number;
}

/** Calls the engine in the page. */
export function call(page: Page, { file, options, mask, abortAfterTiles }: Call): Promise<Outcome> {
  const given = {
    file: Array.from(file),
    options,
    mask: mask === undefined ? null : Array.from(mask),
    abortAfterTiles: abortAfterTiles ?? null,
  };
  return page.evaluate((it) => window.run(it.file, it.options, it.mask, it.abortAfterTiles), given);
}
