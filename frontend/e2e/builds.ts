import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const FRONTEND = resolve(import.meta.dirname, '..');
const NGINX = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx';
const run = promisify(execFile);

function nginxArguments(folder: string, main: string): string[] {
  return ['-p', folder, '-c', main, '-g', 'daemon off;'];
}

export interface Choices {
  VITE_UPSCALE_MODE?: string;
  VITE_API_URL?: string;
}

/** The app as it is built with these, in that folder. */
export async function buildApp(folder: string, choices: Choices): Promise<void> {
  const to = ['--outDir', folder, '--emptyOutDir', '--logLevel', 'error'];
  const env = { ...process.env, VITE_UPSCALE_MODE: '', VITE_API_URL: '', ...choices };
  await run('npx', ['vite', 'build', ...to], { cwd: FRONTEND, env });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A program that serves the app at `url`, with a folder of its own. */
export class WebServer {
  readonly url: string;
  private readonly process: ChildProcess;
  private readonly folder: string;

  private constructor(url: string, folder: string, process: ChildProcess) {
    this.url = url;
    this.folder = folder;
    this.process = process;
  }

  /** The real nginx with the configuration that ships; only places and ports are changed. It has no service behind it. */
  static async nginx(port: number, choices: Choices): Promise<WebServer> {
    const folder = await mkdtemp(join(tmpdir(), 'pixelmend-nginx-'));
    const conf = join(folder, 'conf');
    const web = join(folder, 'web');
    await buildApp(web, choices);
    await cp(join(FRONTEND, '..', 'nginx'), conf, { recursive: true });
    await run('sh', [join(conf, 'allow_api.sh'), web, join(conf, 'pixelmend')]);
    const main = join(conf, 'nginx.conf');
    const text = (await readFile(main, 'utf8'))
      .replace('listen 3332;', `listen 127.0.0.1:${port};`)
      .replace('listen [::]:3332;', '')
      .replace('/usr/share/pixelmend/web', web)
      .replaceAll('/tmp/nginx', join(folder, 'nginx'))
      .replace('/dev/stdout', join(folder, 'access'));
    await writeFile(main, process.getuid?.() === 0 ? `user root;\n${text}` : text);
    await writeFile(join(conf, 'pixelmend', 'upstream.conf'), 'upstream pixelmend { server 127.0.0.1:9; }\n');
    return WebServer.start(`http://127.0.0.1:${port}`, folder, NGINX, nginxArguments(folder, main));
  }

  /** The real nginx as that of another site, of which the service is the part `path`. */
  static async otherSite(port: number, path: string, service: string): Promise<WebServer> {
    const folder = await mkdtemp(join(tmpdir(), 'pixelmend-site-'));
    const main = join(folder, 'nginx.conf');
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(' ');
    const text =
      `events {} error_log stderr; pid ${folder}/pid; http { access_log off; ${places} ` +
      `server { listen 127.0.0.1:${port}; client_max_body_size 0; location = / { return 200 "another page"; } ` +
      `location ${path}/ { proxy_pass ${service}/; proxy_set_header Host $http_host; proxy_buffering off; } } }`;
    await writeFile(main, process.getuid?.() === 0 ? `user root; ${text}` : text);
    return WebServer.start(`http://127.0.0.1:${port}`, folder, NGINX, nginxArguments(folder, main));
  }

  /** `npm run dev`, at another port. */
  static async dev(port: number, choices: Choices): Promise<WebServer> {
    const folder = await mkdtemp(join(tmpdir(), 'pixelmend-dev-'));
    const address = ['--host', '127.0.0.1', '--port', String(port), '--strictPort'];
    return WebServer.start(`http://127.0.0.1:${port}`, folder, 'npx', ['vite', ...address], choices);
  }

  private static async start(
    url: string,
    folder: string,
    command: string,
    args: string[],
    choices: Choices = {},
  ): Promise<WebServer> {
    const env = { ...process.env, VITE_UPSCALE_MODE: '', VITE_API_URL: '', ...choices };
    const started = spawn(command, args, {
      cwd: FRONTEND,
      stdio: ['ignore', 'ignore', 'inherit'],
      env,
      detached: true,
    });
    const endMs = Date.now() + 120_000;
    while (
      !(await fetch(url)
        .then((answer) => answer.ok)
        .catch(() => false))
    ) {
      if (started.exitCode !== null || Date.now() > endMs) throw new Error(`${command} does not start`);
      await new Promise((done) => setTimeout(done, 50));
    }
    return new WebServer(url, folder, started);
  }

  async dispose(): Promise<void> {
    const ended = new Promise((done) => this.process.once('exit', done));
    // The whole group: npx starts Vite as a child.
    if (this.process.pid) process.kill(-this.process.pid, 'SIGTERM');
    await ended;
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
