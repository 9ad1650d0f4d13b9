// Bundles the program's pages into dist, where both the built program and the tests look for them.
import { build } from 'esbuild';
import { copyFile, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../../', import.meta.url);

for (const folder of ['src/playground/page/', 'src/http/page/']) {
  const source = new URL(folder, ROOT);
  const target = new URL(`dist/${folder}`, ROOT);
  await mkdir(target, { recursive: true });
  await build({
    entryPoints: [fileURLToPath(new URL('main.ts', source))],
    outfile: fileURLToPath(new URL('app.js', target)),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'inline',
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'app.css']) {
    await copyFile(new URL(file, source), new URL(file, target));
  }
}
