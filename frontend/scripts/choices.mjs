/**
 * What a build of the app does by itself: VITE_UPSCALE_MODE and VITE_API_URL, from the environment or from the .env of
 * the checkout's root. The build records them as dist/build.json, where scripts/make.sh sees whether they have
 * changed, and the service and nginx see which origin the page has to be allowed to ask.
 *
 * `node scripts/choices.mjs` prints what a build made now would record.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadEnv } from 'vite';

/** Where the .env files are. */
export const ENV_DIR = resolve(import.meta.dirname, '..', '..');

const MODES = ['server', 'browser'];
/** A content policy can name such hosts, and no IPv6 addresses. */
const SERVICE_URL = /^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?(\/[\w.~-]+)*\/?$/;

/**
 * The text of build.json. Throws an Error that names the variable if a value is wrong.
 * @param {string} mode Vite's; .env.<mode> counts more than .env
 * @param {string} [folder] where the .env files are
 */
export function readChoices(mode, folder = ENV_DIR) {
  const { VITE_UPSCALE_MODE: upscaleMode = '', VITE_API_URL: apiUrl = '' } = loadEnv(mode, folder);
  if (upscaleMode && !MODES.includes(upscaleMode)) {
    throw new Error(`VITE_UPSCALE_MODE=${upscaleMode} is neither server nor browser`);
  }
  if (apiUrl && !SERVICE_URL.test(apiUrl)) {
    throw new Error(
      `VITE_API_URL=${apiUrl} is not the address of a service, like http://gpu-box:8000; for one that has only ` +
        'an IPv6 address, use a name',
    );
  }
  return JSON.stringify({ upscaleMode: upscaleMode || 'server', apiUrl }) + '\n';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(readChoices('production'));
  } catch (error) {
    process.stderr.write(`web app: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
  }
}
