// The package as another program gets it: packed, put into a folder of its own, its examples run, its types compiled.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';
import { eventually } from './node-process.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const modules = join(ROOT, 'node_modules');

/** A program's folder with this package in its node_modules. */
let program: string;
let beacon: string;

beforeEach(() => {
  if (!existsSync(join(ROOT, 'dist/src/node.js'))) throw new Error('run `npm run build` first');
  program = tempDir();
  beacon = join(program, 'beacon.git');
  const installed = join(program, 'node_modules', 'aibot');
  mkdirSync(installed, { recursive: true });
  const pack = ['pack', '--silent', '--ignore-scripts', '--offline', '--pack-destination', program];
  const tarball = execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }).trim();
  execFileSync('tar', ['-xzf', join(program, tarball), '-C', installed, '--strip-components=1']);
  // What `npm install` would fetch.
  symlinkSync(modules, join(installed, 'node_modules'));
  for (const example of ['observer.mjs', 'mint-and-hand-over.mjs']) {
    copyFileSync(join(installed, 'examples', example), join(program, example));
  }
});

function run(...args: readonly string[]): string {
  return execFileSync(process.execPath, args, { cwd: program, encoding: 'utf8' });
}

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<unknown>;
}

function start(...args: readonly string[]): Running {
  const child = spawn(process.execPath, args, { cwd: program, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const ended = once(child, 'close');
  beforeRemoval(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, output: () => output, ended };
}

test('the examples mint, hand over and mirror, as their own comments say', async () => {
  const first = run('mint-and-hand-over.mjs', beacon, 'node', 'lamp');
  expect(first).toMatch(/^lamp belongs to ada: \S+\nlamp belongs to ben: \S+\n$/);
  const observer = start('observer.mjs', beacon, 'mirror');
  await eventually(() => observer.output().includes('1 assets, 2 transactions') || undefined);

  run('mint-and-hand-over.mjs', beacon, 'node', 'pen');
  await eventually(() => observer.output().includes('pen: ada -> ben') || undefined);
  expect(observer.output()).toContain('pen: minted by ada');
  observer.child.kill('SIGINT');
  await observer.ended;
  expect(observer.child.exitCode).toBe(0);

  const record = JSON.parse(git(beacon, ['show', 'nfgt-pen:metadata.json'])) as object;
  expect(record).toMatchObject({ owner_id: 'ben', metadata: { name: 'A lamp' } });
  expect(git(beacon, ['for-each-ref', 'refs/tags']).split('\n')).toHaveLength(4);
  const kept = readFileSync(join(program, 'node', 'passphrases.jsonl'), 'utf8')
    .trim()
    .split('\n');
  expect(kept).toHaveLength(4);
});

test('its types compile in a strict program, without those of its dependencies', () => {
  const source = `
    import { AppError, openNode, type AssetId, type CheckedGroup, type Draft } from 'aibot/node';
    const drafts: readonly Draft[] = [{ assetId: 'lamp', ownerId: 'ada', metadata: { n: 1 } }];
    const node = await openNode({ beaconUrl: 'beacon.git', dataDir: 'data' });
    const group: CheckedGroup = await node.check(drafts);
    await node.submit(group).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'CHAIN_ADVANCED') throw error;
    });
    const owner: string | undefined = node.chain.findTip('lamp' as AssetId)?.ownerId;
    // @ts-expect-error -- an owner id is a text
    await node.check([{ assetId: 'lamp', ownerId: 5 }]);
    console.log(owner);
  `;
  writeFileSync(join(program, 'program.mts'), source);
  symlinkSync(join(modules, '@types'), join(program, 'node_modules', '@types'));
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--types', 'node'];
  const target = ['--module', 'nodenext', '--target', 'es2023'];
  const tsc = join(modules, 'typescript', 'bin', 'tsc');
  expect(run(tsc, ...strict, ...target, 'program.mts')).toBe('');
});

test('opens no door but the one that is documented', () => {
  const code = `import('aibot/dist/src/app/settlements.js').catch((e) => console.log(e.code))`;
  expect(run('--input-type=module', '--eval', code).trim()).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
});
