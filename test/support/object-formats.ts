// Empty repositories of both of git's object formats.
import { join } from 'node:path';
import { git, tempDir } from './temp-dir.ts';

export const FORMATS = ['sha1', 'sha256'] as const;

/** A bare repository. @returns its path */
export function makeRepository(format: (typeof FORMATS)[number]): string {
  const root = tempDir();
  git(root, ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, 'x.git']);
  return join(root, 'x.git');
}
