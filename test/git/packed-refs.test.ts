// Many refs set at once in a local repository, held against git's own reading of it.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PackedRefs, type RefChange } from '../../src/git/packed-refs.ts';
import type { CommitId } from '../../src/shared/ids.ts';
import { git, tempDir } from '../support/temp-dir.ts';

const TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** A bare repository with some commits that refs can stand on. */
function makeRepository(): { readonly gitDir: string; readonly commits: readonly CommitId[] } {
  const root = tempDir();
  git(root, ['init', '--quiet', '--bare', '--template=', 'x.git']);
  const gitDir = join(root, 'x.git');
  git(gitDir, ['hash-object', '-w', '-t', 'tree', '--stdin'], '');
  const commits = ['one', 'two', 'three'].map(
    (message) => git(gitDir, ['commit-tree', TREE, '-m', message]) as CommitId,
  );
  return { gitDir, commits };
}

function open(gitDir: string): PackedRefs {
  return new PackedRefs(gitDir, (fault) => {
    throw fault;
  });
}

function listRefs(gitDir: string): string[] {
  const text = git(gitDir, ['for-each-ref', '--format=%(refname) %(objectname)']);
  return text === '' ? [] : text.split('\n');
}

function lockNames(gitDir: string): string[] {
  return readdirSync(gitDir, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.lock'),
  );
}

const create = (ref: string, target: CommitId): RefChange => ({
  ref,
  target,
  expected: [undefined],
});

describe('a batch of refs', () => {
  test('is what git then reads, whatever the names and however often', async () => {
    const name = fc
      .string({
        unit: fc.constantFrom('a', 'b', 'A', '0', '-', '_', '=', '.', '+', 'é', '世', '🎲'),
        minLength: 1,
        maxLength: 12,
      })
      .filter((text) => !/^\.|\.\.|\.$|\.lock$/.test(text) && text.isWellFormed());
    const batch = fc.uniqueArray(fc.record({ name, isTag: fc.boolean(), at: fc.nat(2) }), {
      selector: ({ name: text, isTag }) => `${isTag} ${text}`,
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 5 }), async (batches) => {
        const { gitDir, commits } = makeRepository();
        const refs = open(gitDir);
        const model = new Map<string, CommitId>();
        for (const entries of batches) {
          const changes = entries.map(({ name: text, isTag, at }): RefChange => {
            const ref = `refs/${isTag ? 'tags' : 'heads'}/${text}`;
            return { ref, target: commits[at]!, expected: [model.get(ref)] };
          });
          expect(await refs.setAll(changes)).toBe(true);
          for (const { ref, target } of changes) model.set(ref, target);
        }
        expect(new Set(listRefs(gitDir))).toEqual(
          new Set([...model].map(([ref, target]) => `${ref} ${target}`)),
        );
        expect(lockNames(gitDir)).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  test('keeps what git packed before, annotated tags with what they stand on', async () => {
    const { gitDir, commits } = makeRepository();
    for (const name of ['a', 'm', 'z']) git(gitDir, ['tag', '-a', '-m', 'x', name, commits[0]!]);
    git(gitDir, ['pack-refs', '--all']);
    const refs = open(gitDir);
    const names = ['refs/heads/x', 'refs/tags/aa', 'refs/tags/n', 'refs/tags/zz', 'refs/tags/A'];
    expect(await refs.setAll(names.map((ref) => create(ref, commits[1]!)))).toBe(true);
    expect(git(gitDir, ['show-ref', '--dereference']).split('\n')).toEqual(
      expect.arrayContaining([
        ...names.map((ref) => `${commits[1]} ${ref}`),
        ...['a', 'm', 'z'].map((name) => `${commits[0]} refs/tags/${name}^{}`),
      ]),
    );
    git(gitDir, ['fsck', '--strict']);
  });

  test('goes on from what another process wrote in between', async () => {
    const { gitDir, commits } = makeRepository();
    const [one, two] = [open(gitDir), open(gitDir)];
    await one.setAll([create('refs/heads/a', commits[0]!)]);
    await two.setAll([create('refs/heads/b', commits[1]!)]);
    git(gitDir, ['update-ref', '-d', 'refs/heads/a']);
    await one.setAll([create('refs/heads/c', commits[2]!)]);
    expect(listRefs(gitDir)).toEqual([`refs/heads/b ${commits[1]}`, `refs/heads/c ${commits[2]}`]);
  });

  test('that stands already is accepted and changes nothing', async () => {
    const { gitDir, commits } = makeRepository();
    const refs = open(gitDir);
    const changes = [create('refs/heads/a', commits[0]!), create('refs/tags/t', commits[0]!)];
    await refs.setAll(changes);
    expect(await refs.setAll(changes)).toBe(true);
    expect(listRefs(gitDir)).toHaveLength(2);
  });
});

test('of any file, with annotated tags wherever they stand, every ref but those of the batch stays', async () => {
  const name = fc.string({
    unit: fc.constantFrom('a', 'b', 'm', 'z', '-'),
    minLength: 1,
    maxLength: 5,
  });
  const id = fc.constantFrom('1', '2', '3').map((digit) => digit.repeat(40) as CommitId);
  const packed = fc.uniqueArray(fc.record({ name, id, isAnnotated: fc.boolean() }), {
    selector: ({ name: text }) => text,
    maxLength: 60,
  });
  const batch = fc.uniqueArray(fc.record({ name, id }), {
    selector: ({ name: text }) => text,
    minLength: 1,
    maxLength: 8,
  });
  const { gitDir } = makeRepository();
  const file = join(gitDir, 'packed-refs');
  const print = (refs: ReadonlyMap<string, string>): string =>
    [...refs]
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(([ref, lines]) => lines.replace('REF', ref))
      .join('');
  const head = '# pack-refs with: peeled fully-peeled sorted \n';
  await fc.assert(
    fc.asyncProperty(packed, batch, async (before, changes) => {
      const model = new Map(
        before.map((each) => [
          `refs/tags/${each.name}`,
          `${each.id} REF\n${each.isAnnotated ? `^${'9'.repeat(40)}\n` : ''}`,
        ]),
      );
      writeFileSync(file, head + print(model));
      const wanted = changes.map((change): RefChange => {
        const ref = `refs/tags/${change.name}`;
        return { ref, target: change.id, expected: [model.get(ref)?.slice(0, 40)] };
      });
      expect(await open(gitDir).setAll(wanted)).toBe(true);
      for (const { ref, target } of wanted) {
        if (model.get(ref)?.startsWith(target) !== true) model.set(ref, `${target} REF\n`);
      }
      expect(readFileSync(file, 'utf8')).toBe(head + print(model));
    }),
    { numRuns: 300 },
  );
});

test('a process that was halted while others took its locks away writes nothing over them', async () => {
  const { gitDir, commits } = makeRepository();
  const halted = open(gitDir).setAll([
    create('refs/heads/a', commits[0]!),
    create('refs/heads/b', commits[0]!),
  ]);
  // The locks stand as soon as the call returns; whoever opens the repository takes them for left over.
  for (const lock of lockNames(gitDir)) rmSync(join(gitDir, lock));
  const other = open(gitDir).setAll([create('refs/heads/a', commits[1]!)]);
  expect([await halted, await other]).toEqual([false, true]);
  expect(listRefs(gitDir)).toEqual([`refs/heads/a ${commits[1]}`]);
  expect(readdirSync(gitDir).filter((name) => name.endsWith('.new'))).toEqual([]);
  expect(lockNames(gitDir)).toEqual([]);
});

test('a lock that somebody removed does not keep the others from being given back', async () => {
  const { gitDir, commits } = makeRepository();
  const refs = open(gitDir);
  const changes = ['a', 'b', 'c'].map((name) => create(`refs/heads/${name}`, commits[0]!));
  const written = refs.setAll(changes);
  rmSync(join(gitDir, 'refs/heads/b.lock'));
  expect(await written).toBe(false);
  expect(lockNames(gitDir)).toEqual([]);
  expect(await refs.setAll(changes)).toBe(true);
});

test.each([
  ['cut off within a line', (text: string) => text.slice(0, -20)],
  ['cut off within a peeled line', (text: string) => `${text}^${'9'.repeat(12)}`],
  ['with a line that is none', (text: string) => `${text}nonsense\n`],
])('packed refs %s are an error, and stay as they are', async (_, damage) => {
  const { gitDir, commits } = makeRepository();
  await open(gitDir).setAll([create('refs/heads/a', commits[0]!)]);
  const file = join(gitDir, 'packed-refs');
  const damaged = damage(readFileSync(file, 'utf8'));
  writeFileSync(file, damaged);
  await expect(open(gitDir).setAll([create('refs/tags/z', commits[0]!)])).rejects.toThrow(
    /packed refs/,
  );
  expect(readFileSync(file, 'utf8')).toBe(damaged);
  expect(lockNames(gitDir)).toEqual([]);
});

test('whoever could read the refs before can read them afterwards', async () => {
  const { gitDir, commits } = makeRepository();
  const refs = open(gitDir);
  await refs.setAll([create('refs/heads/a', commits[0]!)]);
  chmodSync(join(gitDir, 'packed-refs'), 0o664);
  await refs.setAll([create('refs/heads/b', commits[0]!)]);
  expect(statSync(join(gitDir, 'packed-refs')).mode & 0o777).toBe(0o664);
});

describe('a batch is left to git, and nothing is changed,', () => {
  const cases: readonly [string, (gitDir: string, commits: readonly CommitId[]) => void][] = [
    [
      'when a ref stands elsewhere',
      (dir, [, two]) => git(dir, ['update-ref', 'refs/heads/a', two!]),
    ],
    [
      'when a packed ref stands elsewhere',
      (dir, [, two]) => {
        git(dir, ['update-ref', 'refs/heads/a', two!]);
        git(dir, ['pack-refs', '--all']);
      },
    ],
    ['when a ref is locked', (dir) => writeFileSync(join(dir, 'refs/heads/a.lock'), '')],
    ['when the packed refs are locked', (dir) => writeFileSync(join(dir, 'packed-refs.lock'), '')],
    [
      'when a ref stands in a file of its own, even where it is expected',
      (dir, [one]) => git(dir, ['update-ref', 'refs/heads/b', one!]),
    ],
    ['when a directory has the name', (dir) => mkdirSync(join(dir, 'refs/heads/a'))],
    [
      'when a packed ref is below the name',
      (dir, [one]) => {
        git(dir, ['update-ref', 'refs/heads/a/b', one!]);
        git(dir, ['pack-refs', '--all']);
      },
    ],
    [
      'when the packed refs are not sorted',
      (dir, [one]) => writeFileSync(join(dir, 'packed-refs'), `${one} refs/heads/z\n`),
    ],
  ];
  test.each(cases)('%s', async (_, prepare) => {
    const { gitDir, commits } = makeRepository();
    prepare(gitDir, commits);
    const [before, locks] = [listRefs(gitDir), lockNames(gitDir)];
    const changes = [
      create('refs/heads/0', commits[0]!),
      create('refs/heads/a', commits[0]!),
      { ...create('refs/heads/b', commits[0]!), expected: [undefined, commits[0]!] },
    ];
    expect(await open(gitDir).setAll(changes)).toBe(false);
    expect(listRefs(gitDir)).toEqual(before);
    expect(lockNames(gitDir)).toEqual(locks);
  });

  test('when a packed ref has the name of its directory', async () => {
    const { gitDir, commits } = makeRepository();
    const refs = open(gitDir);
    await refs.setAll([create('refs/heads/a', commits[0]!)]);
    mkdirSync(join(gitDir, 'refs/heads/a'));
    expect(await refs.setAll([create('refs/heads/a/b', commits[0]!)])).toBe(false);
    expect(listRefs(gitDir)).toHaveLength(1);
  });
});

test('another writer that uses git meets the lock and loses nothing', async () => {
  const { gitDir, commits } = makeRepository();
  const refs = open(gitDir);
  const count = 150;
  // git itself writes refs of its own and packs them, over and over, while batches are set.
  const script = `i=0; while [ $i -lt 60 ]; do git update-ref refs/heads/git-$i ${commits[1]} || exit 1
    [ $((i % 7)) -eq 0 ] && git pack-refs --all; i=$((i+1)); done; exit 0`;
  const stranger = spawn('sh', ['-c', script], { cwd: gitDir, stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => stranger.once('exit', resolve));
  let written = 0;
  while (written < count || stranger.exitCode === null) {
    const at = written % count;
    const change = {
      ref: `refs/heads/ours-${at}`,
      target: commits[0]!,
      expected: [undefined, commits[0]],
    };
    if (await refs.setAll([change])) written += 1;
  }
  expect(await ended).toBe(0);
  const names = new Set(listRefs(gitDir).map((line) => line.split(' ')[0]));
  const wanted = [
    ...Array.from({ length: 60 }, (_, at) => `refs/heads/git-${at}`),
    ...Array.from({ length: count }, (_, at) => `refs/heads/ours-${at}`),
  ];
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
  expect(existsSync(join(gitDir, 'packed-refs.lock'))).toBe(false);
});
