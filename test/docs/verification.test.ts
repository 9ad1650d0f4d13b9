// Holds docs/verification.md against the kinds that the code can find.
import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { verificationDocument } from '../support/verification-document.ts';

const DOCUMENT = new URL('../../docs/verification.md', import.meta.url).pathname;

test('docs/verification.md says what the tables of kinds say', async () => {
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(DOCUMENT, verificationDocument());
  expect(await readFile(DOCUMENT, 'utf8')).toBe(verificationDocument());
});
