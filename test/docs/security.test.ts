// Holds docs/SECURITY.md to its word: every claim about an attacker names a test, and every test that it names exists.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = new URL('../../', import.meta.url).pathname;
const REFERENCE = /`(test\/[\w./-]+\.test\.ts)`: “([^”]+)”/g;

const readDocument = (): Promise<string> => readFile(join(ROOT, 'docs/SECURITY.md'), 'utf8');

test('every test that docs/SECURITY.md names stands in its file', async () => {
  const references = [...(await readDocument()).matchAll(REFERENCE)];
  expect(references.length).toBeGreaterThan(30);
  const missing: string[] = [];
  for (const [, file = '', title = ''] of references) {
    const source = await readFile(join(ROOT, file), 'utf8');
    if (!source.includes(`'${title}'`)) missing.push(`${file}: ${title}`);
  }
  expect(missing).toEqual([]);
});

test('every claim of docs/SECURITY.md about an attacker names a test, or says what is not prevented', async () => {
  const [, attackers = ''] = (await readDocument()).split(/^## Attackers$/m);
  const [section = ''] = attackers.split(/^## /m);
  const claims = section.split('\n').filter((line) => line.startsWith('- '));
  expect(claims.length).toBeGreaterThan(20);
  const bare = claims.filter((line) => !line.startsWith('- **Can**') && !line.match(REFERENCE));
  expect(bare).toEqual([]);
});
