// What every Beacon must do, whatever carries it; both implementations run this suite.
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Beacon, ChainCommit, CommitDraft } from '../../src/chain/beacon.ts';
import { encodeRecord, MAX_RECORD_BYTES, recordDigest } from '../../src/chain/record.ts';
import type { AssetId, CommitId, OwnerId, TransactionId } from '../../src/shared/ids.ts';

/** A remote under test; it is empty, or holds an epoch commit, until the suite does something to it. */
export interface BeaconFixture {
  /** Opens one more beacon on the remote, as another node would, or one that saw the epoch branch before. */
  open(options?: { readonly knownEpoch?: () => CommitId | undefined }): Promise<Beacon>;
  /** Adds a commit to the remote by other means, without any ref. */
  addCommit(commit: {
    readonly parents: readonly CommitId[];
    readonly record: Buffer | undefined;
    readonly message?: string;
    /** Adds a file beside the record to the parent's tree. */
    readonly changesOtherFiles?: boolean;
  }): CommitId;
  /** Sets a branch or a lightweight tag on the remote by other means, over whatever stood there. */
  setBranch(name: string, commitId: CommitId): void;
  setTag(name: string, commitId: CommitId): void;
  deleteBranch(name: string): void;
  deleteTag(name: string): void;
}

/** A draft with a sound record; every part can be set. */
export function makeDraft(
  parent: CommitId,
  given: Partial<CommitDraft> & { readonly ownerId?: string } = {},
): CommitDraft {
  const assetId = given.assetId ?? (`asset-${randomUUID()}` as AssetId);
  const transactionId = given.transactionId ?? (randomUUID() as TransactionId);
  const record = encodeRecord({
    successorHash: 'a'.repeat(128),
    transactionId,
    transactionTime: 1_700_000_000_000,
    assetId,
    ownerId: (given.ownerId ?? 'owner') as OwnerId,
    metadata: { name: 'Grüße, 世界' },
  });
  return {
    transactionId,
    assetId,
    parent,
    record: given.record ?? record,
    committer: given.committer ?? 'abc123',
    commitTimeSeconds: given.commitTimeSeconds ?? 1_700_000_000,
  };
}

/** Pushes and returns the commits, or fails the test with the beacon's reason. */
export async function pushAccepted(
  beacon: Beacon,
  ...drafts: readonly CommitDraft[]
): Promise<CommitId[]> {
  const result = await beacon.push(drafts);
  if (result.outcome !== 'accepted') throw new Error(`${result.outcome}: ${result.reason}`);
  return drafts.map(({ transactionId }) => result.commits.get(transactionId)!);
}

const nothingKnown = (): boolean => false;
const branchOf = ({ assetId }: CommitDraft): string => `nfgt-${assetId}`;

export function describeBeaconContract(
  name: string,
  makeFixture: () => BeaconFixture | Promise<BeaconFixture>,
): void {
  describe(`${name} keeps the contract of a beacon`, () => {
    let fixture: BeaconFixture;
    let beacon: Beacon;
    const opened: Beacon[] = [];
    const open: BeaconFixture['open'] = async (options) => {
      const one = await fixture.open(options);
      opened.push(one);
      return one;
    };

    beforeEach(async () => {
      fixture = await makeFixture();
      beacon = await open();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((one) => one.close()));
    });

    const read = async (branch: string, tip: CommitId): Promise<readonly ChainCommit[]> =>
      (await beacon.readBranches(new Map([[branch, tip]]), nothingKnown)).get(branch) ?? [];

    describe('push', () => {
      test('a mint puts branch and tag on one commit that carries record, digest and parent', async () => {
        const draft = makeDraft(beacon.epoch);
        const [commitId] = await pushAccepted(beacon, draft);
        const { branches, tags } = await beacon.advertise();
        expect(branches.get(branchOf(draft))).toBe(commitId);
        expect(tags.get(draft.transactionId)).toBe(commitId);
        expect(await read(branchOf(draft), commitId!)).toEqual([
          {
            commitId,
            parents: [beacon.epoch],
            record: draft.record,
            message: recordDigest(draft.record),
            changesOtherFiles: false,
          },
        ]);
      });

      test('a follow-up stands on the tip', async () => {
        const mint = makeDraft(beacon.epoch);
        const [first] = await pushAccepted(beacon, mint);
        const [second] = await pushAccepted(beacon, makeDraft(first!, { assetId: mint.assetId }));
        const chain = await read(branchOf(mint), second!);
        expect(chain.map(({ commitId }) => commitId)).toEqual([first, second]);
      });

      test('a batch of many is one push', async () => {
        const drafts = Array.from({ length: 40 }, () => makeDraft(beacon.epoch));
        const commits = await pushAccepted(beacon, ...drafts);
        const { branches, tags } = await beacon.advertise();
        expect(drafts.map((draft) => branches.get(branchOf(draft)))).toEqual(commits);
        expect(drafts.map((draft) => tags.get(draft.transactionId))).toEqual(commits);
      });

      test('one loser keeps the whole batch off the remote and is the only one named', async () => {
        const mint = makeDraft(beacon.epoch);
        await pushAccepted(beacon, mint);
        const before = await beacon.advertise();
        const loser = makeDraft(beacon.epoch, { assetId: mint.assetId });
        const result = await beacon.push([makeDraft(beacon.epoch), loser, makeDraft(beacon.epoch)]);
        expect(result).toMatchObject({ outcome: 'refused', stale: [loser.transactionId] });
        expect(await beacon.advertise()).toEqual(before);
      });

      test('the rest of a batch is accepted once the loser is dropped', async () => {
        const mint = makeDraft(beacon.epoch);
        await pushAccepted(beacon, mint);
        const rest = [makeDraft(beacon.epoch), makeDraft(beacon.epoch)];
        await beacon.push([...rest, makeDraft(beacon.epoch, { assetId: mint.assetId })]);
        await expect(pushAccepted(beacon, ...rest)).resolves.toHaveLength(2);
      });

      test('a taken tag makes its transaction stale', async () => {
        const taken = makeDraft(beacon.epoch);
        fixture.setTag(taken.transactionId, beacon.epoch);
        const other = makeDraft(beacon.epoch);
        const result = await beacon.push([other, taken]);
        expect(result).toMatchObject({ outcome: 'refused', stale: [taken.transactionId] });
        expect((await beacon.advertise()).branches.has(branchOf(other))).toBe(false);
      });

      test('pushing the same batch again is accepted with the same commits', async () => {
        const drafts = [makeDraft(beacon.epoch), makeDraft(beacon.epoch)];
        const first = await pushAccepted(beacon, ...drafts);
        await expect(pushAccepted(beacon, ...drafts)).resolves.toEqual(first);
      });

      test('a batch of which the remote has a part already is completed', async () => {
        const done = makeDraft(beacon.epoch);
        const [commitId] = await pushAccepted(beacon, done);
        const more = makeDraft(beacon.epoch);
        await expect(pushAccepted(beacon, done, more)).resolves.toContain(commitId);
        expect((await beacon.advertise()).tags.has(more.transactionId)).toBe(true);
      });

      test('two nodes make the same commit of the same draft', async () => {
        const draft = makeDraft(beacon.epoch);
        const mine = await pushAccepted(beacon, draft);
        await expect(pushAccepted(await open(), draft)).resolves.toEqual(mine);
      });

      test('a transaction that stands on the remote is never called stale, though its branch moved on', async () => {
        const mint = makeDraft(beacon.epoch);
        const [first] = await pushAccepted(beacon, mint);
        await pushAccepted(beacon, makeDraft(first!, { assetId: mint.assetId }));
        await expect(beacon.push([mint])).resolves.toMatchObject({ outcome: 'unknown' });
      });

      test('of two nodes that race for one asset exactly one wins', async () => {
        const rival = await open();
        const mint = makeDraft(beacon.epoch);
        const [tip] = await pushAccepted(beacon, mint);
        const drafts = [1, 2].map(() => makeDraft(tip!, { assetId: mint.assetId }));
        const results = await Promise.all([beacon.push([drafts[0]!]), rival.push([drafts[1]!])]);
        expect(results.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
        const lost = results.findIndex(({ outcome }) => outcome !== 'accepted');
        expect(results[lost]).toMatchObject({
          outcome: 'refused',
          stale: [drafts[lost]!.transactionId],
        });
      });

      test('a mint onto a branch that exists is stale', async () => {
        const mint = makeDraft(beacon.epoch);
        await pushAccepted(beacon, mint);
        const again = makeDraft(beacon.epoch, { assetId: mint.assetId });
        await expect(beacon.push([again])).resolves.toMatchObject({
          outcome: 'refused',
          stale: [again.transactionId],
        });
      });

      test('a mint onto a branch that stands on the epoch commit itself is accepted', async () => {
        const mint = makeDraft(beacon.epoch);
        fixture.setBranch(branchOf(mint), beacon.epoch);
        await expect(pushAccepted(beacon, mint)).resolves.toHaveLength(1);
      });

      test('a follow-up on a commit that the remote does not know is stale', async () => {
        const draft = makeDraft('1'.repeat(40) as CommitId);
        await expect(beacon.push([draft])).resolves.toMatchObject({
          outcome: 'refused',
          stale: [draft.transactionId],
        });
      });

      test('a branch that was set back behind the parent makes the follow-up stale', async () => {
        const mint = makeDraft(beacon.epoch);
        const [first] = await pushAccepted(beacon, mint);
        const [second] = await pushAccepted(beacon, makeDraft(first!, { assetId: mint.assetId }));
        fixture.setBranch(branchOf(mint), first!);
        const third = makeDraft(second!, { assetId: mint.assetId });
        await expect(beacon.push([makeDraft(beacon.epoch), third])).resolves.toMatchObject({
          outcome: 'refused',
          stale: [third.transactionId],
        });
        expect((await beacon.advertise()).branches.get(branchOf(mint))).toBe(first);
      });

      test('one asset twice in a batch is refused for good and nothing is written', async () => {
        const mint = makeDraft(beacon.epoch);
        const before = await beacon.advertise();
        const twin = makeDraft(beacon.epoch, { assetId: mint.assetId });
        await expect(beacon.push([mint, twin])).resolves.toMatchObject({
          outcome: 'refused',
          retryable: false,
        });
        expect(await beacon.advertise()).toEqual(before);
      });

      test('pushes asked for at the same time are all carried out', async () => {
        const drafts = Array.from({ length: 5 }, () => makeDraft(beacon.epoch));
        await Promise.all(drafts.map((draft) => pushAccepted(beacon, draft)));
        expect((await beacon.advertise()).tags.size).toBe(5);
      });

      test('asset ids with the characters that git allows become branches', async () => {
        const ids = ['-dash', 'ünï-世界-🎲', `a'b"c$d\`e|f<g>h#i&j%41+=`, '@', 'x'.repeat(240)];
        const drafts = ids.map((id) => makeDraft(beacon.epoch, { assetId: id as AssetId }));
        await pushAccepted(beacon, ...drafts);
        const { branches } = await beacon.advertise();
        expect(ids.filter((id) => !branches.has(`nfgt-${id}`))).toEqual([]);
      });
    });

    describe('advertise', () => {
      test('a new beacon holds its epoch branch and nothing else', async () => {
        const { branches, tags } = await beacon.advertise();
        expect([...branches]).toEqual([[beacon.epochBranch, beacon.epoch]]);
        expect(tags.size).toBe(0);
      });

      test('what others write shows at once', async () => {
        const id = fixture.addCommit({ parents: [beacon.epoch], record: Buffer.from('{}') });
        fixture.setBranch('nfgt-theirs', id);
        fixture.setTag('v1.0', id);
        const { branches, tags } = await beacon.advertise();
        expect([branches.get('nfgt-theirs'), tags.get('v1.0')]).toEqual([id, id]);
      });
    });

    describe('the epoch branch', () => {
      const words = (message: string, ...parents: readonly CommitId[]): CommitId =>
        fixture.addCommit({ parents, record: undefined, message });

      test('is followed where it goes on, also through a merge with its second parent', async () => {
        const { epoch } = beacon;
        const on = words('on', epoch);
        fixture.setBranch('main', on);
        await beacon.advertise();
        expect(beacon.epoch).toBe(on);
        const merge = words('merge', words('side', epoch), on);
        fixture.setBranch('main', merge);
        await beacon.advertise();
        expect(beacon.epoch).toBe(merge);
        expect([epoch, on, merge].every((id) => beacon.isEpoch(id))).toBe(true);
      });

      test('is not followed where it does not go on, and nothing there is of the epoch', async () => {
        const before = beacon.epoch;
        const other = words('another history');
        fixture.setBranch('main', other);
        await beacon.advertise();
        expect([beacon.epoch, beacon.isEpoch(other)]).toEqual([before, false]);
        fixture.deleteBranch('main');
        await beacon.advertise();
        expect(beacon.epoch).toBe(before);
      });

      test('that was rewritten or deleted meanwhile is the known one for who knew it, and gets no new commit', async () => {
        const knownEpoch = beacon.epoch;
        fixture.setBranch('main', words('another history'));
        expect((await open({ knownEpoch: () => knownEpoch })).epoch).toBe(knownEpoch);
        fixture.deleteBranch('main');
        const again = await open({ knownEpoch: () => knownEpoch });
        expect(again.epoch).toBe(knownEpoch);
        expect((await again.advertise()).branches.size).toBe(0);
      });
    });

    describe('isAncestor', () => {
      const foreign = (...parents: readonly CommitId[]): CommitId =>
        fixture.addCommit({ parents, record: Buffer.from(randomUUID()) });

      test('is true for what a branch goes on from, by whatever parent, and false for anything else', async () => {
        const a = foreign(beacon.epoch);
        const b = foreign(a);
        const side = foreign(beacon.epoch);
        const merge = foreign(side, b);
        fixture.setBranch('nfgt-x', merge);
        const answers = [a, b, merge, beacon.epoch, foreign(b)].map((id) =>
          beacon.isAncestor(id, 'nfgt-x', merge),
        );
        expect(await Promise.all(answers)).toEqual([true, true, true, true, false]);
        expect(await beacon.isAncestor('3'.repeat(40) as CommitId, 'nfgt-x', merge)).toBe(false);
      });

      test('is not known for a tip that nobody has', async () => {
        const gone = '2'.repeat(40) as CommitId;
        expect(await beacon.isAncestor(beacon.epoch, 'nfgt-gone', gone)).toBeUndefined();
      });
    });

    describe('readBranches', () => {
      const foreign = (...parents: readonly CommitId[]): CommitId => {
        const record = Buffer.from(JSON.stringify({ nonce: randomUUID() }));
        return fixture.addCommit({ parents, record });
      };

      test('a branch is read from its tip back to a known commit, oldest first', async () => {
        const [a] = [foreign(beacon.epoch)];
        const b = foreign(a);
        const c = foreign(b);
        fixture.setBranch('nfgt-x', c);
        const chains = await beacon.readBranches(new Map([['nfgt-x', c]]), (id) => id === a);
        expect(chains.get('nfgt-x')?.map(({ commitId }) => commitId)).toEqual([b, c]);
      });

      test('a commit that changes more than the record says so, and the ones that follow it do not', async () => {
        const record = Buffer.from('x');
        const a = foreign(beacon.epoch);
        const b = fixture.addCommit({ parents: [a], record, changesOtherFiles: true });
        const c = foreign(b);
        fixture.setBranch('nfgt-x', c);
        const changes = (chain: readonly ChainCommit[] | undefined) =>
          chain?.map(({ changesOtherFiles }) => changesOtherFiles);
        expect(changes(await read('nfgt-x', c))).toEqual([false, true, false]);
        const later = await beacon.readBranches(new Map([['nfgt-x', c]]), (id) => id === b);
        expect(changes(later.get('nfgt-x'))).toEqual([false]);
      });

      test('a branch whose tip is known has nothing new', async () => {
        const tip = foreign(beacon.epoch);
        fixture.setBranch('nfgt-x', tip);
        const chains = await beacon.readBranches(new Map([['nfgt-x', tip]]), () => true);
        expect(chains.get('nfgt-x') ?? []).toEqual([]);
      });

      test('a branch read again later gives what came since', async () => {
        const a = foreign(beacon.epoch);
        fixture.setBranch('nfgt-x', a);
        await read('nfgt-x', a);
        const b = foreign(a);
        fixture.setBranch('nfgt-x', b);
        const chains = await beacon.readBranches(new Map([['nfgt-x', b]]), (id) => id === a);
        expect(chains.get('nfgt-x')?.map(({ commitId }) => commitId)).toEqual([b]);
      });

      test('a merge reports all its parents and is followed by the first', async () => {
        const a = foreign(beacon.epoch);
        const side = foreign(beacon.epoch);
        const merge = foreign(a, side);
        fixture.setBranch('nfgt-x', merge);
        const chain = await read('nfgt-x', merge);
        expect(chain.map(({ commitId }) => commitId)).toEqual([a, merge]);
        expect(chain[1]?.parents).toEqual([a, side]);
      });

      test('a commit without metadata.json has no record', async () => {
        const bare = fixture.addCommit({
          parents: [beacon.epoch],
          record: undefined,
          message: 'a stranger',
        });
        fixture.setBranch('nfgt-x', bare);
        expect(await read('nfgt-x', bare)).toMatchObject([
          { record: undefined, message: 'a stranger' },
        ]);
      });

      test('a record at the limit is read and one byte more is not', async () => {
        const sizes = [MAX_RECORD_BYTES, MAX_RECORD_BYTES + 1];
        const tips = sizes.map((size) =>
          fixture.addCommit({ parents: [beacon.epoch], record: Buffer.alloc(size, 'x') }),
        );
        tips.forEach((tip, index) => fixture.setBranch(`nfgt-${index}`, tip));
        const chains = await beacon.readBranches(
          new Map(tips.map((tip, index) => [`nfgt-${index}`, tip])),
          nothingKnown,
        );
        const lengths = [0, 1].map((index) => chains.get(`nfgt-${index}`)?.[0]?.record?.length);
        expect(lengths).toEqual([MAX_RECORD_BYTES, undefined]);
      });

      test('a tip that nobody has is left out and the other branches are read', async () => {
        const tip = foreign(beacon.epoch);
        fixture.setBranch('nfgt-x', tip);
        const tips = new Map([
          ['nfgt-gone', '2'.repeat(40) as CommitId],
          ['nfgt-x', tip],
        ]);
        await beacon.bringBranches(tips);
        const chains = await beacon.readBranches(tips, nothingKnown);
        expect([...chains.keys()]).toEqual(['nfgt-x']);
      });

      test('a branch that stands on the epoch commit has nothing to read', async () => {
        fixture.setBranch('nfgt-x', beacon.epoch);
        expect(await read('nfgt-x', beacon.epoch)).toEqual([]);
      });
    });

    describe('the reserved branch', () => {
      const everything = (): boolean => true;
      const file = (content: string): Buffer => Buffer.from(content);
      const write = (by: Beacon, basedOn: CommitId | undefined, files: Record<string, string>) =>
        by.writeReserved({
          basedOn,
          files: new Map(Object.entries(files).map(([path, text]) => [path, file(text)])),
          message: 'words',
          committer: 'abc123',
          commitTimeSeconds: 1_700_000_000,
        });

      test('is not there at first', async () => {
        expect(await beacon.readReserved(100, everything)).toEqual({
          tip: undefined,
          files: new Map(),
        });
      });

      test('holds what was written to it, in folders too, and is no asset’s', async () => {
        await expect(write(beacon, undefined, { 'a.txt': 'a', 'x/y/1': 'one' })).resolves.toBe(
          'written',
        );
        const { tip, files } = await (await open()).readReserved(100, everything);
        expect((await beacon.advertise()).branches.get('well-known')).toBe(tip);
        expect(files).toEqual(
          new Map([
            ['a.txt', file('a')],
            ['x/y/1', file('one')],
          ]),
        );
      });

      test('keeps the files that a change does not name', async () => {
        await write(beacon, undefined, { 'x/1': 'one', 'x/2': 'two', 'x-y': 'z' });
        const { tip } = await beacon.readReserved(0, everything);
        await expect(write(beacon, tip, { 'x/2': 'TWO' })).resolves.toBe('written');
        const { files } = await beacon.readReserved(100, everything);
        expect(Object.fromEntries([...files].map(([path, text]) => [path, String(text)]))).toEqual({
          'x/1': 'one',
          'x/2': 'TWO',
          'x-y': 'z',
        });
      });

      test('names a file that is too large or not wanted, and does not read it', async () => {
        await write(beacon, undefined, { small: 'abc', large: 'abcd', other: 'a' });
        const { files } = await beacon.readReserved(3, (path) => path !== 'other');
        expect(files).toEqual(
          new Map([
            ['small', file('abc')],
            ['large', undefined],
            ['other', undefined],
          ]),
        );
      });

      test('takes one of two first writers, and of two that follow the same tip', async () => {
        const rival = await open();
        for (let round = 0; round < 2; round += 1) {
          const { tip } = await beacon.readReserved(100, everything);
          const results = await Promise.all([
            write(beacon, tip, { mine: `mine ${round}` }),
            write(rival, tip, { theirs: `theirs ${round}` }),
          ]);
          expect(results.toSorted()).toEqual(['stale', 'written']);
        }
      });

      test('does not hold up transactions that are pushed beside it', async () => {
        const drafts = [makeDraft(beacon.epoch), makeDraft(beacon.epoch)];
        const [, written] = await Promise.all([
          pushAccepted(beacon, drafts[0]!),
          write(beacon, undefined, { a: 'a' }),
          pushAccepted(beacon, drafts[1]!),
        ]);
        expect(written).toBe('written');
        expect((await beacon.advertise()).tags.size).toBe(2);
      });
    });

    test('a remote that lets us write says so', async () => {
      await expect(beacon.checkPushRight()).resolves.toEqual({ granted: true });
    });
  });
}
