// The program's version, as its package says it.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The package's description lies above `src`, whether the sources run or what was built of them. */
function readVersion(): string {
  const places = ['../../package.json', '../../../package.json'];
  const file = places
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((each) => existsSync(each));
  if (file === undefined) throw new Error('the package has lost its package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return version;
}

export const VERSION = readVersion();
