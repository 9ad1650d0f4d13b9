// The last step of a build: bundles what runs into dist, the pages for a browser and the program for Node.
import { build } from 'esbuild';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../', import.meta.url);
const pathOf = (place) => fileURLToPath(new URL(place, ROOT));

/** These load machine code of their own from beside their files. */
const WITH_MACHINE_CODE = ['@resvg/resvg-js', 'argon2', 'better-sqlite3'];
/** Only for JSON schemas, of which our servers have none: `src/shared/without-json-schemas.ts`. */
const NEVER_LOADED = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler'];

/** Both the built program and the tests look for a page here. */
async function bundlePage(folder) {
  await mkdir(pathOf(`dist/${folder}`), { recursive: true });
  await build({
    entryPoints: [pathOf(`${folder}main.ts`)],
    outfile: pathOf(`dist/${folder}app.js`),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'inline',
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'app.css']) {
    await copyFile(pathOf(`${folder}${file}`), pathOf(`dist/${folder}${file}`));
  }
}

/**
 * The bot and the `aibot` command, with their libraries, in a few files: Node takes longer to find and load a thousand
 * small modules than to start all that they do. Everything lies two folders below `dist/program`, so that from each
 * file `../../commands` is the folder of the commands.
 */
async function bundleProgram() {
  const commands = (await readdir(pathOf('commands'))).map((file) => file.replace(/\.ts$/, ''));
  await rm(pathOf('dist/program'), { recursive: true, force: true });
  await build({
    entryPoints: [
      { in: pathOf('src/main.ts'), out: 'src/bot/main' },
      { in: pathOf('src/cli/aibot.ts'), out: 'src/cli/aibot' },
      ...commands.map((name) => ({
        in: pathOf(`commands/${name}.ts`),
        out: `commands/${name}`,
      })),
    ],
    outdir: pathOf('dist/program'),
    chunkNames: 'src/chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: [...WITH_MACHINE_CODE, ...NEVER_LOADED],
    // What was written for `require` finds one.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);",
    },
    legalComments: 'linked',
    logLevel: 'warning',
  });
}

await Promise.all([
  bundlePage('src/playground/page/'),
  bundlePage('src/http/page/'),
  bundleProgram(),
]);
