// The chain of the first event, as far as its sample goes: read whole, and rebuilt commit by commit.
/* eslint-disable jest/no-standalone-expect -- the rule does not see that testWithSample is a test */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import type { ChainCommit, CommitDraft } from '../../src/chain/beacon.ts';
import { parseRecord, recordDigest } from '../../src/chain/record.ts';
import { assetOfBranch } from '../../src/chain/refs.ts';
import { pushAccepted } from '../support/beacon-contract.ts';
import { gitFixture } from '../support/beacon-git.ts';
import { git, tempDir } from '../support/temp-dir.ts';

const SAMPLE = resolve('../shared/beacon-sample');
// The sample lies beside the repository on the machines that have it.
const testWithSample = existsSync(join(SAMPLE, 'chain.bundle')) ? test : test.skip;

/** A bare repository with the sample's refs; with only the epoch branch when asked so. */
function cloneSample(...refspecs: readonly string[]): string {
  const path = join(tempDir(), 'sample.git');
  git(tempDir(), ['init', '--quiet', '--bare', path]);
  git(path, ['fetch', '--quiet', join(SAMPLE, 'chain.bundle'), ...refspecs]);
  git(path, ['pack-refs', '--all']);
  return path;
}

testWithSample('the sample chain is read whole and every record keeps its digest', async () => {
  const beacon = await gitFixture().open({ url: cloneSample('+refs/*:refs/*') });
  const { branches, tags } = await beacon.advertise();
  const tips = new Map([...branches].filter(([branch]) => assetOfBranch(branch) !== undefined));
  const chains = [...(await beacon.readBranches(tips, () => false)).values()];
  const commits = chains.flat();
  const records = commits.map(({ record }) => parseRecord(record ?? Buffer.alloc(0)));
  const facts: unknown = JSON.parse(readFileSync(join(SAMPLE, 'facts.json'), 'utf8'));
  const owners = records.map((record) => ('ownerId' in record ? record.ownerId : record.fault));
  expect(facts).toMatchObject({
    assets: chains.length,
    transactions: commits.length,
    owners_ever: new Set(owners).size,
  });
  expect(commits.filter(({ record, message }) => recordDigest(record!) !== message)).toEqual([]);
  expect(
    commits.filter(({ commitId }, index) => {
      const record = records[index]!;
      return !('transactionId' in record) || tags.get(record.transactionId) !== commitId;
    }),
  ).toEqual([]);
});

testWithSample(
  'every commit of the sample chain comes out the same when it is made again',
  async () => {
    const sample = cloneSample('+refs/*:refs/*');
    const origin = await gitFixture().open({ url: sample });
    const { branches, tags } = await origin.advertise();
    const tips = new Map([...branches].filter(([branch]) => assetOfBranch(branch) !== undefined));
    const chains = [...(await origin.readBranches(tips, () => false)).values()];
    const copyPath = cloneSample('+refs/heads/main:refs/heads/main');
    const copy = await gitFixture().open({ url: copyPath, pushTimeoutMs: 120_000 });
    const authors = readAuthors(sample);
    for (let depth = 0; chains.some((chain) => chain.length > depth); depth += 1) {
      const level = chains.flatMap((chain) => chain[depth] ?? []);
      const drafts = level.map((commit) => toDraft(commit, authors.get(commit.commitId) ?? ''));
      expect(await pushAccepted(copy, ...drafts)).toEqual(level.map(({ commitId }) => commitId));
    }
    expect(await copy.advertise()).toEqual({ branches, tags });
  },
  120_000,
);

/** `<author> <seconds>` of each commit. */
function readAuthors(path: string): Map<string, string> {
  const lines = git(path, ['log', '--all', '--format=%H %an %at']).split('\n');
  return new Map(lines.map((line) => [line.slice(0, 40), line.slice(41)]));
}

function toDraft({ record, parents }: ChainCommit, author: string): CommitDraft {
  const parsed = parseRecord(record!);
  if ('fault' in parsed) throw new Error(parsed.fault);
  const [committer = '', seconds = ''] = author.split(' ');
  return {
    transactionId: parsed.transactionId,
    assetId: parsed.assetId,
    parent: parents[0]!,
    record: record!,
    committer,
    commitTimeSeconds: Number(seconds),
  };
}
