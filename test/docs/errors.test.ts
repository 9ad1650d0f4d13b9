// Holds docs/errors.md and the use of error codes against the table in the code.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ERRORS } from '../../src/shared/errors.ts';
import { errorsDocument } from '../support/errors-document.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const DOCUMENT = join(ROOT, 'docs/errors.md');

async function readSources(folder: string): Promise<string> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
  const texts = files.map((file) => readFile(join(file.parentPath, file.name), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}

test('docs/errors.md says what the table of codes says', async () => {
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(DOCUMENT, errorsDocument());
  expect(await readFile(DOCUMENT, 'utf8')).toBe(errorsDocument());
});

test('every code of the table is thrown somewhere', async () => {
  const sources = `${await readSources('src')}\n${await readSources('commands')}`;
  const unused = Object.keys(ERRORS).filter(
    (code) => !new RegExp(`(?:AppError\\(\\s*|reason: |,\\s*|=\\s*|: )'${code}'`).test(sources),
  );
  expect(unused).toEqual([]);
});
