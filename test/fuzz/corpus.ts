// The inputs that once broke something: kept for ever, and tried before any other.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CorpusCase {
  readonly input: string;
  /** What was wrong. */
  readonly rule: string;
}

/** In the repository's folder, from which tests and the fuzzer are both started. */
const FOLDER = join('test', 'fuzz', 'corpus');

const fileOf = (target: string): string => join(FOLDER, `${target}.json`);

export function readCorpus(target: string): CorpusCase[] {
  const file = fileOf(target);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as CorpusCase[]) : [];
}

/** Adds a case, once. */
export function keepCase(target: string, kept: CorpusCase): void {
  const cases = readCorpus(target);
  if (cases.some(({ input }) => input === kept.input)) return;
  writeFileSync(fileOf(target), `${JSON.stringify([...cases, kept], undefined, 2)}\n`);
}
