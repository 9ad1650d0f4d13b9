// Refs: an asset id is taken exactly when git takes its branch, and one branch is never in another's way.
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  assetOfBranch,
  branchOf,
  MAX_ASSET_ID_BYTES,
  parseAssetId,
  parseOwnerId,
} from '../../src/chain/refs.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { AssetId } from '../../src/shared/ids.ts';
import { git, tempDir } from '../support/temp-dir.ts';

function isTaken(id: unknown): boolean {
  try {
    parseAssetId(id);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('ASSET_ID_INVALID');
    expect((error as AppError).message).not.toMatch(/[{}]reason/);
    return false;
  }
}

/** Asks git itself. */
function gitTakes(id: string): boolean {
  if (id.includes('\0')) return false;
  return spawnSync('git', ['check-ref-format', `refs/heads/nfgt-${id}`]).status === 0;
}

describe('an asset id', () => {
  test.each([
    'asset',
    'aHR0cHM6Ly9leGFtcGxlLm9yZy8_YT1i==',
    'a'.repeat(MAX_ASSET_ID_BYTES),
    'é'.repeat(MAX_ASSET_ID_BYTES / 2),
    '@',
    '-dash',
    '-',
    '--all',
    'HEAD',
    'main',
    'ünï',
    '🎁',
    '"quoted\'',
    '$(x)',
    '`x`',
    'a|b',
    '<>',
    '#',
    '&',
    '%41',
    '+',
    '=',
    '{',
    'a@b',
    '@}',
    'lock',
    'x.lock.y',
    '.hidden',
    '!',
    ';',
    '__proto__',
    '\u0080',
    '\u2028',
  ])('is taken, by git too: %s', (id) => {
    expect([isTaken(id), gitTakes(id)]).toEqual([true, true]);
  });

  test.each([
    'a..b',
    'x y',
    'a~b',
    'a^b',
    'a:b',
    'a?b',
    'a*b',
    'a[b',
    'a\\b',
    'x.lock',
    '.lock',
    'trail/',
    'a//b',
    'a/.b',
    'a/b.lock/c',
    '@{',
    'a@{b',
    '.',
    '..',
    'dot.',
    '\n',
    'tab\t',
    'bell\u0007',
    '\u007f',
    '\0',
    'a\0b',
    ' ',
  ])('is refused, by git too: %j', (id) => {
    expect([isTaken(id), gitTakes(id)]).toEqual([false, false]);
  });

  test.each<[string, unknown]>([
    ['empty', ''],
    ['with a slash, which git takes: one branch would be in another’s way', 'with/slash'],
    ['with a slash in front', '/lead'],
    ['reserved', 'well-known'],
    ['reserved', 'common'],
    ['reserved', 'metadata'],
    ['longer than a file name', 'a'.repeat(MAX_ASSET_ID_BYTES + 1)],
    ['longer than a file name in bytes', 'é'.repeat(MAX_ASSET_ID_BYTES / 2 + 1)],
    ['a lone surrogate', 'a\ud800'],
    ['a number', 5],
    ['null', null],
    ['left out', undefined],
    ['a list', ['asset']],
    ['an object', { toString: 'asset' }],
  ])('is refused: %s', (_, id) => {
    expect(isTaken(id)).toBe(false);
  });

  test('is taken only when git takes its branch, and refused only for a reason', () => {
    const pieces = fc.constantFrom(
      ...['a', '.', '..', '.lock', '@', '{', '@{', '~', '^', ':', '?', '*', '[', '\\', ' ', '\t'],
      ...['\u007f', '\u0080', 'é', '🎁', '-', '_', '=', '%', '/', "'", '"', '$', '\u0001'],
    );
    const ids = fc.oneof(
      fc.array(pieces, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
    );
    fc.assert(
      fc.property(ids, (id) => {
        const expected = gitTakes(id.toWellFormed()) && id.isWellFormed() && !id.includes('/');
        expect([id, isTaken(id)]).toEqual([id, expected]);
      }),
      { numRuns: 150 },
    );
  });

  test('makes a branch and a reflog that the file system holds at its longest', () => {
    const repository = tempDir();
    git(repository, ['init', '--quiet', '--bare', '.']);
    const tree = git(repository, ['mktree']);
    const commit = git(repository, ['commit-tree', tree, '-m', 'x']);
    for (const id of ['a'.repeat(MAX_ASSET_ID_BYTES), '🎁'.repeat(MAX_ASSET_ID_BYTES / 4)]) {
      const ref = `refs/heads/${branchOf(parseAssetId(id))}`;
      execFileSync('git', ['-c', 'core.logAllRefUpdates=always', 'update-ref', ref, commit], {
        cwd: repository,
      });
      expect(git(repository, ['rev-parse', ref])).toBe(commit);
    }
  });
});

describe('a branch', () => {
  test('names its asset and back', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (id) => {
        expect(assetOfBranch(branchOf(id as AssetId))).toBe(id);
      }),
    );
  });

  test.each(['main', 'well-known', 'nfgt', 'nfgt-', 'NFGT-x', 'xnfgt-x', ''])(
    'that is no interaction chain names none: %j',
    (branch) => {
      expect(assetOfBranch(branch)).toBeUndefined();
    },
  );

  test('is split at the first dash only', () => {
    expect(assetOfBranch('nfgt-a-b-c')).toBe('a-b-c');
    expect(assetOfBranch('nfgt--')).toBe('-');
  });
});

describe('an owner id', () => {
  test.each(['o', 'MTAwMDAwMDAwMDAwNTc4MDg3', 'o/w', ' ', '\0', 'é'.repeat(256)])(
    'is taken: %j',
    (id) => {
      expect(parseOwnerId(id)).toBe(id);
    },
  );

  test.each(['', 'é'.repeat(257), '\udc00', 5, null, undefined, {}, []])('is refused: %j', (id) => {
    expect(() => parseOwnerId(id)).toThrow(expect.objectContaining({ code: 'OWNER_ID_INVALID' }));
  });
});
