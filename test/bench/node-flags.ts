// What node is told when it starts the program, so that a row measures what people run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/shared/package-root.ts';

/** The flags of `npm start`; the `aibot` command's first line has the same. @throws Error when there are none */
export function nodeFlags(): readonly string[] {
  const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
  const { scripts } = JSON.parse(text) as { scripts: { start: string } };
  const flags = scripts.start.match(/--\S+/g);
  if (flags === null) throw new Error('npm start gives node no flags');
  return flags;
}
