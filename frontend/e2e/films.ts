import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Locator, Page } from '@playwright/test';
import { PYTHON, ROOT } from './service';

const run = promisify(execFile);

/** Arguments of `Clip` in tests/video/clips.py, and the suffix of the file. */
export interface Wish {
  clip: string;
  suffix?: string;
}

/** A clip that the service's own tests make too: 96x64 px, a square that moves. */
export async function film({ clip, suffix = '.mp4' }: Wish): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'pixelmend-film-'));
  try {
    const path = join(folder, `film${suffix}`);
    const code = [
      'import sys',
      'from pathlib import Path',
      'from tests.video.clips import *',
      `make(Path(sys.argv[1]), Clip(${clip}))`,
    ].join('\n');
    await run(PYTHON, ['-c', code, path], { cwd: ROOT });
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Key frames 5 s apart, so that each is a segment. */
export const LONG = 'constant_rate(600), options={"g": "125", "bf": "0"}, audio=(("aac", "eng"),)';
export const SHORT = 'constant_rate(50), audio=(("aac", "eng"),)';

/** The first one. Films of other tests may follow, since the service tells of them. */
export function newest(page: Page): Locator {
  return page.getByTestId('films').getByRole('listitem').first();
}

export async function choose(page: Page, name: string, buffer: Buffer): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page
    .getByRole('button', { name: /^(Choose|Add) films$/ })
    .first()
    .click();
  await (await chooser).setFiles([{ name, buffer, mimeType: 'video/mp4' }]);
}
