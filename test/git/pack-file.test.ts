// Packs and their indexes as bytes and files, held against git's own.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeTree,
  makeObject,
  type GitObject,
  type ObjectFormat,
} from '../../src/git/git-objects.ts';
import { encodePack, encodePackIndex, writePack } from '../../src/git/pack-file.ts';
import { FORMATS, makeRepository } from '../support/object-formats.ts';
import { git, tempDir } from '../support/temp-dir.ts';

const contents = fc.tuple(
  fc.array(fc.uint8Array({ minLength: 0, maxLength: 300 }), { maxLength: 40 }),
  fc.uint8Array({ minLength: 2000, maxLength: 40_000, size: 'max' }),
);

function makeBlobs(format: ObjectFormat, [small, large]: [Uint8Array[], Uint8Array]): GitObject[] {
  return [...small, large].map((bytes) => makeObject(format, 'blob', Buffer.from(bytes)));
}

function packDirOf(gitDir: string): string {
  return join(gitDir, 'objects', 'pack');
}

test.each(FORMATS)('git takes a pack of %s objects and gives every byte back', async (format) => {
  await fc.assert(
    fc.asyncProperty(contents, async (bytes) => {
      const gitDir = makeRepository(format);
      const blobs = makeBlobs(format, bytes);
      await writePack(packDirOf(gitDir), encodePack(format, blobs));
      git(gitDir, ['fsck', '--strict', '--full']);
      git(gitDir, [
        'verify-pack',
        ...readdirSync(packDirOf(gitDir))
          .filter((name) => name.endsWith('.idx'))
          .map((name) => join(packDirOf(gitDir), name)),
      ]);
      for (const { id, content } of blobs) {
        const read = execFileSync('git', ['cat-file', 'blob', id], { cwd: gitDir });
        expect(read.equals(content)).toBe(true);
      }
    }),
    { numRuns: 5 },
  );
});

test.each(FORMATS)(
  'the files of a %s pack are byte for byte those of git index-pack',
  async (format) => {
    await fc.assert(
      fc.asyncProperty(contents, async (bytes) => {
        const pack = encodePack(format, makeBlobs(format, bytes));
        const ours = packDirOf(makeRepository(format));
        const theirs = makeRepository(format);
        await writePack(ours, pack);
        execFileSync('git', ['index-pack', '--stdin', '--strict'], {
          cwd: theirs,
          input: pack.bytes,
        });
        const names = readdirSync(ours).toSorted();
        // What else git may write beside them is for its own speed.
        expect(readdirSync(packDirOf(theirs))).toEqual(expect.arrayContaining(names));
        expect(names).toHaveLength(2);
        for (const name of names) {
          expect(
            readFileSync(join(ours, name)).equals(readFileSync(join(packDirOf(theirs), name))),
          ).toBe(true);
          expect(statSync(join(ours, name)).mode).toBe(
            statSync(join(packDirOf(theirs), name)).mode,
          );
        }
      }),
      { numRuns: 10 },
    );
  },
);

test('git reads trees of any size', async () => {
  const gitDir = makeRepository('sha1');
  const blob = makeObject('sha1', 'blob', Buffer.from('x'));
  const trees = [0, 1, 2_000, 5_000].map((count) => {
    const entries = Array.from({ length: count }, (_, number) => ({
      mode: '100644',
      name: Buffer.from(`file-${number}`),
      id: blob.id,
    }));
    return makeObject('sha1', 'tree', encodeTree(entries));
  });
  await writePack(packDirOf(gitDir), encodePack('sha1', [blob, ...trees]));
  git(gitDir, ['fsck', '--strict', '--full']);
  for (const { id, content } of trees) {
    const read = execFileSync('git', ['cat-file', 'tree', id], { cwd: gitDir });
    expect(read.equals(content)).toBe(true);
  }
});

test('an index has room for every first byte of an id', () => {
  const blobs = Array.from({ length: 3_000 }, (_, number) =>
    makeObject('sha1', 'blob', Buffer.from(String(number))),
  );
  const pack = encodePack('sha1', blobs);
  const directory = tempDir();
  writeFileSync(join(directory, 'x.pack'), pack.bytes);
  git(directory, ['index-pack', '-o', 'x.idx', 'x.pack']);
  expect(encodePackIndex(pack).equals(readFileSync(join(directory, 'x.idx')))).toBe(true);
});

test('an object that is given twice is packed once', () => {
  const blob = makeObject('sha1', 'blob', Buffer.from('x'));
  expect(encodePack('sha1', [blob, blob])).toEqual(encodePack('sha1', [blob]));
});

test('a pack that cannot be written whole leaves nothing behind', async () => {
  const directory = tempDir();
  const pack = encodePack('sha1', [makeObject('sha1', 'blob', Buffer.from('x'))]);
  const name = `pack-${pack.bytes.subarray(-20).toString('hex')}`;
  // A directory stands where the index is to be.
  mkdirSync(join(directory, `${name}.idx`));
  await expect(writePack(directory, pack)).rejects.toThrow();
  // A pack without an index is nothing to git.
  expect(readdirSync(directory).filter((file) => file.startsWith('tmp_'))).toEqual([]);
  await expect(writePack(join(directory, 'nowhere'), pack)).rejects.toThrow('ENOENT');
});
