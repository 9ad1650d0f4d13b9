// Where the project's own files are, from wherever its code runs: the sources, what is built of them, a bundle.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the project's package.json. @throws Error where there is none */
export function packageRoot(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error('The project has no package.json');
  }
}
