// What plain git says of a chain, to hold an index against.
import type { ChainIndex } from '../../src/chain/chain-index.ts';
import { git } from './temp-dir.ts';

/** Each asset's commits, oldest first, with their records. */
export type Replay = Record<string, readonly { commitId: string; record: string }[]>;

/** Reads every interaction chain of a repository, and fails where a commit has not exactly its own tag. */
export function replayByGit(path: string): Replay {
  const lines = (args: readonly string[]): string[] => git(path, args).split('\n').filter(Boolean);
  const tags = new Map(
    lines(['for-each-ref', '--format=%(refname:short) %(objectname)', 'refs/tags']).map(
      (line) => line.split(' ') as [string, string],
    ),
  );
  const replay: Replay = {};
  for (const branch of lines(['for-each-ref', '--format=%(refname:short)', 'refs/heads/nfgt-*'])) {
    replay[branch.slice('nfgt-'.length)] = lines(['rev-list', '--reverse', branch, '^main']).map(
      (commitId) => {
        const record = git(path, ['show', `${commitId}:metadata.json`]);
        const { transaction_id: id } = JSON.parse(record) as { transaction_id: string };
        if (tags.get(id) !== commitId) throw new Error(`${id} has not its tag on ${commitId}`);
        tags.delete(id);
        return { commitId, record };
      },
    );
  }
  if (tags.size > 0) throw new Error(`stray tags: ${[...tags.keys()].join(' ')}`);
  return replay;
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
