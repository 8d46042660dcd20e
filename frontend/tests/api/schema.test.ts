import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';

const PYTHON = process.env.PYTHON ?? '../.venv/bin/python';

test.skipIf(!existsSync(PYTHON))(
  "the types are those of the service's present description",
  () => {
    const check = () => execFileSync('node', ['scripts/api.mjs', '--check'], { stdio: 'pipe' });
    expect(check).not.toThrow();
  },
  // The service's modules have to be imported for it, while other tests use the machine.
  180_000,
);
