// Objects, trees and packs as bytes, held against git's own.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodePack, makeObject, withFile } from '../../src/git/git-objects.ts';
import { git, tempDir } from '../support/temp-dir.ts';

const FORMATS = ['sha1', 'sha256'] as const;

function makeRepository(format: (typeof FORMATS)[number]): string {
  const root = tempDir();
  git(root, ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, 'x.git']);
  return join(root, 'x.git');
}

function indexPack(gitDir: string, pack: Buffer): void {
  execFileSync('git', ['index-pack', '--stdin', '--strict'], { cwd: gitDir, input: pack });
}

test.each(FORMATS)('git takes a pack of %s objects and gives every byte back', (format) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 0, maxLength: 300 }), { minLength: 1, maxLength: 20 }),
      fc.uint8Array({ minLength: 2000, maxLength: 40_000, size: 'max' }),
      (small, large) => {
        const gitDir = makeRepository(format);
        const contents = [...small, large].map((bytes) => Buffer.from(bytes));
        const blobs = new Map(
          contents
            .map((content) => makeObject(format, 'blob', content))
            .map((blob) => [blob.id, blob]),
        );
        indexPack(gitDir, encodePack(format, [...blobs.values()]));
        for (const { id, content } of blobs.values()) {
          const read = execFileSync('git', ['cat-file', 'blob', id], { cwd: gitDir });
          expect(read.equals(content)).toBe(true);
        }
      },
    ),
    { numRuns: 5 },
  );
});

test.each(FORMATS)(
  'a file is added to a %s tree, or replaced, where git would put it',
  (format) => {
    const gitDir = makeRepository(format);
    const blob = git(gitDir, ['hash-object', '-w', '--stdin'], 'x');
    const other = git(gitDir, ['hash-object', '-w', '--stdin'], 'y');
    const inner = git(gitDir, ['mktree'], `100644 blob ${blob}\tx\n`);
    const neighbours = [
      `100644 blob ${blob}\tLICENSE`,
      `040000 tree ${inner}\tmetadata.json-d`,
      `040000 tree ${inner}\tmetadata`,
      `100755 blob ${blob}\tmetadata.jso`,
      `120000 blob ${blob}\tmetadata.json.z`,
      `100644 blob ${blob}\tz`,
    ];
    fc.assert(
      fc.property(fc.subarray(neighbours), fc.boolean(), (entries, isThere) => {
        const mktree = (lines: readonly string[]): string =>
          git(gitDir, ['mktree'], lines.map((line) => `${line}\n`).join(''));
        const before = mktree([
          ...entries,
          ...(isThere ? [`100644 blob ${blob}\tmetadata.json`] : []),
        ]);
        const bytes = execFileSync('git', ['cat-file', 'tree', before], { cwd: gitDir });
        const tree = makeObject(format, 'tree', withFile(format, bytes, 'metadata.json', other));
        expect(tree.id).toBe(mktree([...entries, `100644 blob ${other}\tmetadata.json`]));
      }),
      { numRuns: 25 },
    );
  },
);

test('bytes that are no tree are refused', () => {
  for (const bytes of ['x', '100644 name', '100644 name\0short']) {
    expect(() => withFile('sha1', Buffer.from(bytes), 'a', '0'.repeat(40))).toThrow(RangeError);
  }
});
