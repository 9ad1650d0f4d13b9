// The table of fuzz targets and the code agree: no parser is forgotten, and none is named that is not there.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { EXEMPT, JSON_READERS } from './exempt.ts';
import { TARGETS } from './table.ts';

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join('src', file));
const textOf = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const covered = new Set(TARGETS.flatMap(({ covers }) => covers));

const exportsOf = (file: string, words: RegExp): string[] =>
  [...(textOf.get(file) ?? '').matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => words.test(name))
    .map((name) => `${file}#${name}`);

describe('the table of fuzz targets', () => {
  test('names every exported function that parses, decodes, reads or loads, or says why not', () => {
    const readers = files.flatMap((file) =>
      exportsOf(file, /^(?:parse|decode|read|load|unseal)[A-Z]|^unseal$/),
    );
    const forgotten = readers.filter((name) => !covered.has(name) && EXEMPT[name] === undefined);
    expect(forgotten).toEqual([]);
  });

  test('names every file that takes JSON apart', () => {
    const readers = files.filter((file) => textOf.get(file)?.includes('JSON.parse('));
    expect(readers.filter((file) => JSON_READERS[file] === undefined)).toEqual([]);
    expect(Object.keys(JSON_READERS).filter((file) => !readers.includes(file))).toEqual([]);
  });

  test('names nothing that is not exported there', () => {
    const named = [...covered, ...Object.keys(EXEMPT)];
    const gone = named.filter((name) => !exportsOf(name.split('#')[0] ?? '', /./).includes(name));
    expect(gone).toEqual([]);
  });

  test('names each target once', () => {
    const names = TARGETS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
