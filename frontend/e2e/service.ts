import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..', '..');
export const PYTHON = process.env.PYTHON ?? join(ROOT, '.venv', 'bin', 'python');
const POLL_MS = 50;

/** The real service in a folder of its own. It serves the built app. */
export class Service {
  url = '';
  private process: ChildProcess | null = null;
  private readonly folder: string;
  private readonly settings: Record<string, string>;

  private constructor(folder: string, settings: Record<string, string>) {
    this.folder = folder;
    this.settings = settings;
  }

  /** `settings` are environment variables, added to those that separate it from other services. */
  static async start(settings: Record<string, string> = {}): Promise<Service> {
    const service = new Service(await mkdtemp(join(tmpdir(), 'pixelmend-e2e-')), settings);
    await service.run(0);
    return service;
  }

  get modelsFolder(): string {
    return join(this.folder, 'models');
  }

  /** Starts it again at the same address and with the same data. */
  async restart(): Promise<void> {
    await this.run(Number(new URL(this.url).port));
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const process = this.process;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const ended = new Promise((done) => process.once('exit', done));
    process.kill(signal);
    await ended;
  }

  async dispose(): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async get<T>(path: string): Promise<T> {
    return (await (await fetch(this.url + path)).json()) as T;
  }

  private async run(port: number): Promise<void> {
    const log = join(this.folder, `log-${Date.now()}`);
    const output = openSync(log, 'w');
    const ours = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('PIXELMEND_')),
    );
    this.process = spawn(PYTHON, ['-m', 'pixelmend.cli', 'serve'], {
      cwd: this.folder,
      stdio: ['ignore', output, output],
      env: {
        ...ours,
        PYTHONPATH: join(ROOT, 'backend'),
        PIXELMEND_DEVICE: 'cpu',
        PIXELMEND_PORT: String(port),
        PIXELMEND_DATA_DIR: join(this.folder, 'data'),
        PIXELMEND_MODELS_DIR: this.modelsFolder,
        PIXELMEND_WEB_DIR: join(ROOT, 'frontend', 'dist'),
        PIXELMEND_LOG_FORMAT: 'json',
        ...this.settings,
      },
    });
    const text = () => readFile(log, 'utf8');
    await until('the service listens', text, async () => {
      const found = /"address": "(http:\/\/[^"]+)"/.exec(await text());
      this.url = found?.[1] ?? '';
      return found !== null;
    });
    await until('the service is ready', text, async () => (await fetch(`${this.url}/readyz`)).ok);
  }
}

async function until(what: string, log: () => Promise<string>, holds: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 120_000;
  while (Date.now() < endMs) {
    if (await holds().catch(() => false)) return;
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
  throw new Error(`${what}: not within two minutes\n${await log()}`);
}
