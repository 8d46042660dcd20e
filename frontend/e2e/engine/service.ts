/** The real service, on a port of its own, with a folder that is removed afterwards. */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const PYTHON = process.env.PIXELMEND_PYTHON ?? path.join(ROOT, '.venv/bin/python');

export interface Service {
  url: string;
  stop: () => Promise<void>;
}

/** Ready when the promise resolves. settings: by their names in capitals, without PIXELMEND_. */
export async function startService(settings: Record<string, string> = {}): Promise<Service> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pixelmend-e2e-'));
  const chosen: Record<string, string> = {
    PORT: '0',
    DEVICE: 'cpu',
    PRECISION: 'float32',
    DATA_DIR: path.join(folder, 'data'),
    MODELS_DIR: path.join(folder, 'models'),
    LOG_FORMAT: 'json',
    ...settings,
  };
  const environment = Object.fromEntries(
    Object.entries(chosen).map(([name, value]) => [`PIXELMEND_${name}`, value]),
  );
  const child = spawn(PYTHON, ['-m', 'pixelmend.cli', 'serve'], {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: path.join(ROOT, 'backend'), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const url = await addressOf(child);
    await readiness(url);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = '';
    const read = (data: Buffer) => {
      log += data.toString();
      const found = /"address": "(http:[^"]+)"/.exec(log);
      if (found?.[1] !== undefined) resolve(found[1]);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => reject(new Error(`the service ended:\n${log}`)));
  });
}

async function readiness(url: string): Promise<void> {
  // Asked again as soon as it has answered; the test's own limit ends it.
  for (;;) {
    const response = await fetch(`${url}/readyz`).catch(() => null);
    if (response?.ok === true) return;
    await response?.arrayBuffer();
  }
}
