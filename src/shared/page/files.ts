// Reads the files of a built page, for the server that shows it.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** What `bundle.mjs` makes of a page's folder. */
export interface PageFiles {
  readonly html: string;
  readonly script: string;
  readonly style: string;
}

/**
 * Reads a built page: next to the server's file in `dist`, or in `dist` when the sources run as they are.
 * @param server `import.meta.url` of a file directly under `src/<part>/`; its page is in `src/<part>/page/`.
 * @throws Error when the page is not built.
 */
export async function readPageFiles(server: string): Promise<PageFiles> {
  const built = server.endsWith('.ts') ? server.replace(/^(.*)\/src\//, '$1/dist/src/') : server;
  const read = async (name: string): Promise<string> => {
    const file = new URL(`page/${name}`, built);
    try {
      return await readFile(file, 'utf8');
    } catch (cause) {
      const words = `A page is not built: ${fileURLToPath(file)} is missing. Run \`npm run build\`.`;
      throw new Error(words, { cause });
    }
  };
  return {
    html: await read('index.html'),
    script: await read('app.js'),
    style: await read('app.css'),
  };
}
