import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { preferredLanguage } from '../../src/i18n';
import { en } from '../../src/i18n/en';
import { zh } from '../../src/i18n/zh';

function flat(texts: object, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([key, value]: [string, string | object]) =>
      typeof value === 'string' ? [[prefix + key, value]] : Object.entries(flat(value, `${prefix}${key}.`)),
    ),
  );
}

const values = (text: string) => [...text.matchAll(/{{(\w+)}}/g)].map((found) => found[1]).sort();

test('both languages have the same keys, with the same values in them, and none is empty', () => {
  const [english, chinese] = [flat(en), flat(zh)];
  expect(Object.keys(chinese).sort()).toEqual(Object.keys(english).sort());
  for (const [key, text] of Object.entries(english)) {
    expect(chinese[key]?.trim(), key).toBeTruthy();
    expect(values(chinese[key] ?? ''), key).toEqual(values(text));
  }
});

test('every key that the app names is there', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  const known = Object.keys(flat(en));
  const named = sources.flatMap((name) =>
    [...readFileSync(join('src', name), 'utf8').matchAll(/\bt\(\s*'([\w.-]+)'/g)].map(
      (found) => found[1] ?? '',
    ),
  );
  expect(named.length).toBeGreaterThan(100);
  const absent = named.filter((key) => !known.includes(key) && !known.includes(`${key}_other`));
  expect(absent).toEqual([]);
});

test('every problem that the service can answer with is explained', () => {
  const errors = readFileSync('../backend/pixelmend/core/errors.py', 'utf8');
  const codes = [...errors.matchAll(/^ {4}code(?:: ClassVar\[str\])? = "([\w-]+)"/gm)].map(
    (found) => found[1],
  );
  expect(codes.length).toBeGreaterThan(25);
  // With these the service does not start, so that no client receives them.
  const atStart = ['data-directory-in-use', 'data-directory-newer'];
  const reported = codes.filter((code) => !atStart.includes(code ?? ''));
  expect(reported.filter((code) => !(code && code in en.problems))).toEqual([]);
});

test('the browser says which language, and English is for all others', () => {
  expect(preferredLanguage(['fr-FR', 'zh-TW', 'en'])).toBe('zh');
  expect(preferredLanguage(['fr', 'de'])).toBe('en');
});
