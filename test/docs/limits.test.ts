// Holds docs/limits.md against the constants in the code.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = new URL('../../', import.meta.url).pathname;
const ROW = /^\| `(\w+)` +\| `([\w./-]+)` +\| ([\d,]+) +\|/gm;

/** A constant's value, where it is a product of whole numbers. */
async function valueOf(name: string, file: string): Promise<number | undefined> {
  const source = await readFile(join(ROOT, file), 'utf8');
  const product = new RegExp(`\\bconst ${name} = ([\\d_ *]+);`).exec(source)?.[1];
  return product
    ?.split('*')
    .map((factor) => Number(factor.replaceAll('_', '')))
    .reduce((all, factor) => all * factor, 1);
}

test('every limit in docs/limits.md has the value that the code has', async () => {
  const document = await readFile(join(ROOT, 'docs/limits.md'), 'utf8');
  const rows = [...document.matchAll(ROW)].map(([, name = '', file = '', value = '']) => {
    return { name, file, value: Number(value.replaceAll(',', '')) };
  });
  const found = await Promise.all(
    rows.map(async ({ name, file }) => ({ name, file, value: await valueOf(name, file) })),
  );
  expect(rows.length).toBeGreaterThan(30);
  expect(found).toEqual(rows);
});
