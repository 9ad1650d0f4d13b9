// What plain git says of a chain, to hold an index against.
import type { ChainIndex } from '../../src/chain/chain-index.ts';
import { git } from './temp-dir.ts';

/** Each asset's commits, oldest first, with their records. */
export type Replay = Record<string, readonly { commitId: string; record: string }[]>;

/**
 * Reads every interaction chain of a repository.
 * @throws Error where a commit has not exactly its own tag, a chain is not one line, or a tag is nobody's.
 */
export function replayByGit(path: string): Replay {
  const lines = (args: readonly string[]): string[] => git(path, args).split('\n').filter(Boolean);
  const pairs = (pattern: string): [string, string][] =>
    lines(['for-each-ref', '--format=%(refname:lstrip=2) %(objectname)', pattern]).map(
      (line) => line.split(' ') as [string, string],
    );
  const tags = new Map(pairs('refs/tags'));
  const branches = new Map(pairs('refs/heads/nfgt-*'));
  // Two processes for everything: a chain of thousands is read again and again.
  const tips = [...branches.keys()].map((branch) => `refs/heads/${branch}`).join('\n');
  const listing = git(path, ['rev-list', '--parents', '--stdin'], `${tips}\n^refs/heads/main\n`);
  const parents = new Map(
    branches.size === 0 ? [] : listing.split('\n').map((line) => parentsOf(line)),
  );
  const records = readRecords(path, [...parents.keys()]);
  const replay: Replay = {};
  for (const [branch, tip] of branches) {
    const history: { commitId: string; record: string }[] = [];
    for (let commitId: string | undefined = tip; commitId !== undefined && parents.has(commitId);) {
      const record = records.get(commitId) ?? '';
      const { transaction_id: id } = JSON.parse(record) as { transaction_id: string };
      if (tags.get(id) !== commitId) throw new Error(`${id} has not its tag on ${commitId}`);
      tags.delete(id);
      history.unshift({ commitId, record });
      commitId = parents.get(commitId);
    }
    replay[branch.slice('nfgt-'.length)] = history;
  }
  if (tags.size > 0) throw new Error(`stray tags: ${[...tags.keys()].join(' ')}`);
  return replay;
}

function parentsOf(line: string): [string, string | undefined] {
  const [commitId = '', parent, ...others] = line.split(' ');
  if (others.length > 0) throw new Error(`${commitId} is a merge`);
  return [commitId, parent];
}

function readRecords(path: string, commits: readonly string[]): ReadonlyMap<string, string> {
  const names = commits.map((commitId) => `${commitId}:metadata.json\n`).join('');
  const output = Buffer.from(git(path, ['cat-file', '--batch'], names));
  const records = new Map<string, string>();
  let offset = 0;
  for (const commitId of commits) {
    const end = output.indexOf('\n', offset);
    const size = Number(/ blob (\d+)$/.exec(output.toString('utf8', offset, end))?.[1]);
    if (!Number.isSafeInteger(size)) throw new Error(`${commitId} has no record`);
    records.set(commitId, output.toString('utf8', end + 1, end + 1 + size));
    offset = end + size + 2;
  }
  return records;
}

/** The same from a node's index. */
export function replayOfIndex(index: ChainIndex): Replay {
  return Object.fromEntries(
    [...index.listBranchCommits().keys()].sort().map((assetId) => [
      assetId,
      index
        .listAssetHistory(assetId, Number.MAX_SAFE_INTEGER)
        .map(({ commitId, record }) => ({ commitId, record: record.toString() }))
        .reverse(),
    ]),
  );
}
