import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readChoices } from '../../scripts/choices.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixelmend-choices-'));
  vi.stubEnv('VITE_UPSCALE_MODE', undefined);
  vi.stubEnv('VITE_API_URL', undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function choices(...lines: string[]): unknown {
  writeFileSync(join(folder, '.env'), lines.join('\n'));
  return JSON.parse(readChoices('production', folder));
}

test('without a word, the service of the page is used', () => {
  expect(choices()).toEqual({ upscaleMode: 'server', apiUrl: '' });
  expect(choices('VITE_UPSCALE_MODE=', 'VITE_API_URL=')).toEqual({ upscaleMode: 'server', apiUrl: '' });
});

test("they stand among the service's settings, none of which is recorded", () => {
  const lines = ['PIXELMEND_API_KEYS=secret', 'VITE_UPSCALE_MODE=browser', 'VITE_OTHER=secret'];
  expect(choices(...lines)).toEqual({ upscaleMode: 'browser', apiUrl: '' });
});

test('the environment counts more than the file', () => {
  vi.stubEnv('VITE_API_URL', 'http://b:2');
  vi.stubEnv('VITE_UPSCALE_MODE', '');
  const lines = ['VITE_API_URL=http://a:1', 'VITE_UPSCALE_MODE=browser'];
  expect(choices(...lines)).toEqual({ upscaleMode: 'server', apiUrl: 'http://b:2' });
});

test.each([
  'http://127.0.0.1:8000',
  'https://gpu-box.example.org',
  'http://gpu:8000/',
  'https://a.b/pixel/mend',
])('the address %s is taken as it is', (apiUrl) =>
  expect(choices(`VITE_API_URL=${apiUrl}`)).toMatchObject({ apiUrl }),
);

test.each([
  'gpu-box:8000',
  'ftp://a',
  'http://',
  'http://a:1;script-src',
  'http://u:p@a',
  'http://a?b',
  'http://[::1]:1',
])('the address %s is refused by name', (apiUrl) =>
  expect(() => choices(`VITE_API_URL='${apiUrl}'`)).toThrow(`VITE_API_URL=${apiUrl} is not the address`),
);

test('an unknown mode is refused by name, with those that there are', () => {
  expect(() => choices('VITE_UPSCALE_MODE=brwser')).toThrow(
    'VITE_UPSCALE_MODE=brwser is neither server nor browser',
  );
});
