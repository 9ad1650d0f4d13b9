// The role that a node takes by itself: given and taken by the remote, also while it runs, and told with the reason.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CommitDraft, PushResult } from '../../src/chain/beacon.ts';
import type { NodeOptions } from '../../src/chain/open-node.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { MemoryBeacon, MemoryRemote } from '../support/beacon-memory.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';
import { until } from '../support/until.ts';

let remote: MemoryRemote;
let open: TestNode[];
let warnings: object[];

beforeEach(() => {
  remote = new MemoryRemote();
  open = [];
  warnings = [];
});

afterEach(async () => {
  for (const each of open) await each.close();
});

async function openOne(
  options: Partial<NodeOptions> = {},
  beacon = new MemoryBeacon(remote),
): Promise<TestNode> {
  const logger = { ...silentLogger, warn: (facts: object) => void warnings.push(facts) };
  const opened = await openTestNode(beacon, { logger, ...options });
  open.push(opened);
  return opened;
}

const roleOf = async ({ node }: TestNode) => (await node.status()).role;
const REFUSED = { state: 'rejected', reason: 'BEACON_REFUSED' };

describe('a validator that may push no longer', () => {
  test('learns it from the refusal, rejects what was refused, says why, and goes on reading', async () => {
    const validator = await openOne();
    const other = await openOne();
    remote.readOnly = true;
    const lost = await validator.accept([{ assetId: asset('lost') }]);
    expect(await validator.node.outcomeOf(lost.groupId)).toEqual(REFUSED);

    const { role, roleEvents, pending } = await validator.node.status();
    expect({ role, pending }).toEqual({ role: 'observer', pending: 0 });
    expect(roleEvents.map((event) => event.role)).toEqual(['observer', 'validator']);
    expect(roleEvents[0]?.reason).toBe('no right to push');
    expect(warnings).toContainEqual({ role: 'observer', reason: 'no right to push' });
    await expect(validator.accept([{}])).rejects.toMatchObject({ code: 'NODE_IS_OBSERVER' });

    remote.readOnly = false;
    await other.node.outcomeOf((await other.accept([{ ownerId: owner('b') }])).groupId);
    await validator.node.sync();
    expect(validator.node.chain.findTip(asset('asset'))).toMatchObject({ ownerId: 'b' });
    expect(validator.node.chain.findTip(asset('lost'))).toBeUndefined();
  });

  test('learns it from the timer as well, and is a validator again when the right is back', async () => {
    const opened = await openOne({ roleCheckIntervalMs: 10 });
    remote.readOnly = true;
    await until(async () => (await roleOf(opened)) === 'observer');
    remote.readOnly = false;
    await until(async () => (await roleOf(opened)) === 'validator');
    const { groupId } = await opened.accept([{}]);
    expect(await opened.node.outcomeOf(groupId)).toEqual({ state: 'committed' });
  });

  test('stays what it is when a hook alone said no', async () => {
    const opened = await openOne();
    remote.failPushes({ kind: 'refuse', reason: 'pre-receive hook declined', retryable: false });
    const { groupId } = await opened.accept([{}]);
    expect(await opened.node.outcomeOf(groupId)).toEqual(REFUSED);
    expect(await roleOf(opened)).toBe('validator');
  });

  test('stays what it is while the remote does not answer the question', async () => {
    const opened = await openOne({ roleCheckIntervalMs: 10 });
    remote.unreachable = true;
    await until(() => Promise.resolve(warnings.length > 0));
    expect(await roleOf(opened)).toBe('validator');
  });
});

describe('a push whose answer was lost before the right was', () => {
  /** Takes in the first push only when it is told to, long after the connection has ended. */
  class SlowBeacon extends MemoryBeacon {
    late: readonly CommitDraft[] = [];

    override push(drafts: readonly CommitDraft[]): Promise<PushResult> {
      this.late = drafts;
      remote.readOnly = true;
      return Promise.resolve({ outcome: 'unknown', reason: 'the connection ended' });
    }

    async arrive(): Promise<void> {
      remote.readOnly = false;
      await super.push(this.late);
      remote.readOnly = true;
    }
  }

  test('stays pending while it may arrive, and is committed when it does', async () => {
    const beacon = new SlowBeacon(remote);
    const opened = await openOne({ roleCheckIntervalMs: 10 }, beacon);
    const { groupId, transactionIds } = await opened.accept([{}]);
    await until(async () => (await roleOf(opened)) === 'observer');
    const state = await opened.node.findState(transactionIds[0] as never);
    expect(state).toEqual({ state: 'pending', reason: null });
    await beacon.arrive();
    expect(await opened.node.outcomeOf(groupId)).toEqual({ state: 'committed' });
  });

  test('is rejected once it can arrive no more, and was never sent again', async () => {
    const opened = await openOne(
      { roleCheckIntervalMs: 10, latePushMs: 300 },
      new SlowBeacon(remote),
    );
    const { groupId } = await opened.accept([{}]);
    expect(await opened.node.outcomeOf(groupId)).toEqual(REFUSED);
    expect(remote.tags.size).toBe(0);
    expect((await opened.node.status()).pending).toBe(0);
  });
});

describe('a role that the operator set', () => {
  test('stays a validator, whatever the remote says', async () => {
    remote.readOnly = true;
    const opened = await openOne({ role: 'validator', roleCheckIntervalMs: 10 });
    const { groupId } = await opened.accept([{}]);
    expect(await opened.node.outcomeOf(groupId)).toEqual(REFUSED);
    const { role, roleEvents } = await opened.node.status();
    expect({ role, reasons: roleEvents.map(({ reason }) => reason) }).toEqual({
      role: 'validator',
      reasons: ['set by NODE_ROLE'],
    });
  });

  test('stays an observer that sends nothing, not even what an earlier validator left pending', async () => {
    const validator = await openOne();
    remote.unreachable = true;
    const { groupId } = await validator.accept([{}]);
    const { database } = validator;
    await validator.node.close();
    open.length = 0;
    remote.unreachable = false;
    const observer = await openOne({ role: 'observer', database, latePushMs: 100 });
    expect(await observer.node.outcomeOf(groupId)).toEqual(REFUSED);
    expect(remote.pushes).toBe(0);
    validator.index.close();
    await database.close();
  });
});
