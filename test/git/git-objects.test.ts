// Objects and trees as bytes, held against git's own.
import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { makeObject, withFile } from '../../src/git/git-objects.ts';
import { FORMATS, makeRepository } from '../support/object-formats.ts';
import { git } from '../support/temp-dir.ts';

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
