// Types of the service's API, from its own OpenAPI document: `npm run api` writes src/api/schema.ts.
// PYTHON names a Python that has Pixelmend; default: the checkout's environment.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const FRONTEND = join(dirname(fileURLToPath(import.meta.url)), '..');
const TARGET = join(FRONTEND, 'src', 'api', 'schema.ts');
const PYTHON = process.env.PYTHON ?? join(FRONTEND, '..', '.venv', 'bin', 'python');

export async function generate() {
  const env = { ...process.env, PYTHONPATH: join(FRONTEND, '..', 'backend') };
  const document = execFileSync(PYTHON, [join(FRONTEND, 'scripts', 'openapi.py')], {
    env,
    maxBuffer: 1 << 26,
  });
  const types = astToString(await openapiTS(JSON.parse(document.toString())));
  return `// Written by \`npm run api\` from the service's OpenAPI document; not by hand.\n\n${types}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await generate();
  if (process.argv.includes('--check')) {
    if (readFileSync(TARGET, 'utf8') !== text) {
      console.error('src/api/schema.ts does not match the service: run `npm run api`');
      process.exit(1);
    }
  } else {
    writeFileSync(TARGET, text);
  }
}
