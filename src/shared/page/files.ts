// Reads the files of a built page, for the server that shows it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';

/** What `bundle.mjs` makes of a page's folder. */
export interface PageFiles {
  readonly html: string;
  readonly script: string;
  readonly style: string;
}

/**
 * Reads a built page, from `dist` also when the sources run as they are.
 * @param part its sources are in `src/<part>/page/`.
 * @throws Error when the page is not built.
 */
export async function readPageFiles(part: 'http' | 'playground'): Promise<PageFiles> {
  const folder = join(packageRoot(), 'dist', 'src', part, 'page');
  const read = async (name: string): Promise<string> => {
    const file = join(folder, name);
    try {
      return await readFile(file, 'utf8');
    } catch (cause) {
      throw new Error(`A page is not built: ${file} is missing. Run \`npm run build\`.`, { cause });
    }
  };
  return {
    html: await read('index.html'),
    script: await read('app.js'),
    style: await read('app.css'),
  };
}
