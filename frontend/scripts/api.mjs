// What the page knows of the service: `npm run api` writes src/api/schema.ts, the types of the API, from its OpenAPI
// document, and src/api/constants.ts, the values that both know, from its code. clients/js refers to the types.
// PYTHON names a Python that has Pixelmend; default: the checkout's environment.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const FRONTEND = join(dirname(fileURLToPath(import.meta.url)), '..');
const TARGETS = {
  'src/api/schema.ts': schema,
  'src/api/constants.ts': constants,
};
const PYTHON = process.env.PYTHON ?? join(FRONTEND, '..', '.venv', 'bin', 'python');

function printed(script) {
  const env = { ...process.env, PYTHONPATH: join(FRONTEND, '..', 'backend') };
  return execFileSync(PYTHON, [join(FRONTEND, 'scripts', script)], { env, maxBuffer: 1 << 26 }).toString();
}

export async function constants() {
  return printed('constants.py');
}

export async function schema() {
  const types = astToString(await openapiTS(JSON.parse(printed('openapi.py'))));
  return `// Written by \`npm run api\` from the service's OpenAPI document; not by hand.\n\n${types}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, generate] of Object.entries(TARGETS)) {
    const path = join(FRONTEND, name);
    const text = await generate();
    if (!process.argv.includes('--check')) writeFileSync(path, text);
    else if (readFileSync(path, 'utf8') !== text) {
      console.error(`${name} does not match the service: run \`npm run api\``);
      process.exitCode = 1;
    }
  }
}
