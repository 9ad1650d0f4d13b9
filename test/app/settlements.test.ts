// Settlements and their audit in the corners: listeners that fail, requests that come twice, ids used before, hot assets.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { v4 as uuidv4 } from 'uuid';
import { setTimeout as delay } from 'node:timers/promises';
import { runAudit } from '../../src/app/audit.ts';
import { Settlements } from '../../src/app/settlements.ts';
import { AppError } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { encodeRecord } from '../../src/chain/record.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { AssetId, OwnerId, TransactionId } from '../../src/shared/ids.ts';
import { MemoryRemote } from '../support/beacon-memory.ts';
import { newKey, openTestApp, person, type TestApp } from '../support/open-test-app.ts';

let remote: MemoryRemote;
let open: TestApp[];
const [anna, ben] = [person(0), person(1)];

beforeEach(() => {
  remote = new MemoryRemote();
  open = [];
});

afterEach(async () => {
  for (const each of open) await each.close();
});

async function openOne(options: Parameters<typeof openTestApp>[1] = {}): Promise<TestApp> {
  const opened = await openTestApp(remote, options);
  open.push(opened);
  return opened;
}

/** A member with coins and one pen. */
async function richAnna(house: TestApp): Promise<void> {
  await house.app.daily({ key: newKey(), member: anna });
  await house.app.mint({ key: newKey(), member: anna, assetId: 'pen-0' });
  await house.settled();
}

test('moves coins while the beacon is away, and refuses what needs it', async () => {
  const { app, node } = await openOne();
  remote.unreachable = true;
  await expect(node.sync()).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
  await app.daily({ key: newKey(), member: anna });
  const paid = await app.pay({ key: newKey(), from: anna, to: ben, amount: '10' });
  expect(paid.balanceGc).toBe(990);
  const mint = app.mint({ key: newKey(), member: anna, assetId: 'pen-0' });
  await expect(mint).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
  remote.unreachable = false;
});

describe('a listener that fails', () => {
  test('neither turns a payment into an error nor keeps others from hearing of it', async () => {
    const { app } = await openOne();
    await app.daily({ key: newKey(), member: anna });
    const heard: string[] = [];
    app.onSettlement(() => {
      throw new Error('a listener failed');
    });
    app.onSettlement(({ kind }) => heard.push(kind));
    const paid = await app.pay({ key: newKey(), from: anna, to: ben, amount: '10' });
    expect(paid.balanceGc).toBe(990);
    expect(heard).toEqual(['payment']);
  });

  test('does not keep a trade from being changed or expiring', async () => {
    let now = Date.now();
    const { app } = await openOne({ clock: { now: () => now }, tradeExpiryMs: 1_000 });
    await app.daily({ key: newKey(), member: anna });
    app.onTradeChanged(() => {
      throw new Error('a listener failed');
    });
    await app.startTrade({ key: newKey(), from: anna, to: ben });
    const changed = await app.setTradeCoins({ member: anna, amount: '10' });
    expect(changed.trade.version).toBe(2);
    now += 2_000;
    await expect(app.showTrade(anna.memberId)).rejects.toMatchObject({ code: 'TRADE_NOT_FOUND' });
  });
});

describe('the same request twice at once', () => {
  test('rolls once, also when the first took the last prize', async () => {
    const house = await openOne();
    await house.app.daily({ key: newKey(), member: anna });
    const request = { key: newKey(), member: anna, count: 4, bannerId: 'lamps' };
    const [one, two] = await Promise.all([house.app.roll(request), house.app.roll(request)]);
    expect(two.draws).toEqual(one.draws);
    await house.settled();
    expect(await house.app.balance(anna.memberId)).toBe(1_000 - 240);
  });

  test.each(['gift', 'mint'] as const)('answers a %s with the same settlement', async (kind) => {
    const house = await openOne();
    await richAnna(house);
    const key = newKey();
    const act = async () =>
      kind === 'gift'
        ? await house.app.gift({ key, from: anna, to: ben, assetId: 'pen-0' })
        : await house.app.mint({ key, member: anna, assetId: 'pen-1' });
    const answers = await Promise.all([act(), act(), act()]);
    const ids = new Set(answers.map(({ settlement }) => settlement.settlementId));
    expect(ids.size).toBe(1);
  });
});

test('a request that comes again while it is being refused is refused as well, and not carried out', async () => {
  const house = await openOne();
  const settlements = new Settlements({
    ...house,
    recovery: { append: () => Promise.resolve() },
    clock: systemClock,
    logger: silentLogger,
  });
  const request = { key: newKey(), kind: 'payment' } as const;
  const refused = settlements.move(request, async () => {
    await delay(20);
    throw new AppError('INSUFFICIENT_FUNDS', { needed: '5 gc', balance: '0 gc' });
  });
  const again = settlements.move(request, () => ({
    ...{ drafts: [], handOvers: [], custody: 'bot' },
    prepare: () => Promise.resolve({ answer: null }),
  }));
  await expect(again).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
  await expect(refused).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
  expect(await settlements.findAnswer(request)).toBeUndefined();
});

test.each([0, -1, 1.5, 11, NaN])('rolls nothing for a count of %d', async (count) => {
  const { app } = await openOne();
  await app.daily({ key: newKey(), member: anna });
  await expect(
    app.roll({ key: newKey(), member: anna, count, bannerId: 'all' }),
  ).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  expect(await app.balance(anna.memberId)).toBe(1_000);
});

describe('a key that was used for something else', () => {
  test('gives nobody the answer of the other request', async () => {
    const { app } = await openOne();
    const key = newKey();
    await app.daily({ key, member: anna });
    await expect(app.pay({ key, from: anna, to: ben, amount: '10' })).rejects.toMatchObject({
      code: 'KEY_REUSED',
    });
    await expect(app.roll({ key, member: anna, count: 1, bannerId: 'all' })).rejects.toMatchObject({
      code: 'KEY_REUSED',
    });
  });
});

describe('a transaction id of the caller', () => {
  const create = (house: TestApp, assetId: string, transactionId: string) =>
    house.app.createTransaction({
      assetId,
      ownerId: 'caller',
      passphrase: undefined,
      metadata: {},
      transactionId,
      key: undefined,
    });

  test('is refused when a transaction that was rejected or is pending has it', async () => {
    const house = await openOne();
    const [rejected, pending] = [uuidv4(), uuidv4()];
    remote.failPushes({ kind: 'refuse', reason: 'declined', retryable: false });
    await create(house, 'one', rejected);
    await house.settled();
    remote.unreachable = true;
    await create(house, 'two', pending);
    for (const id of [rejected, pending]) {
      await expect(create(house, 'three', id)).rejects.toMatchObject({
        code: 'TRANSACTION_ID_TAKEN',
      });
    }
    remote.unreachable = false;
  });
});

describe('the audit', () => {
  test('finds nothing in an asset that moves between the look at the rows and the one at the chain', async () => {
    const house = await openOne();
    await richAnna(house);
    let [from, to] = [anna, ben];
    const refresh = async (): Promise<void> => {
      await house.app.gift({ key: newKey(), from, to, assetId: 'pen-0' });
      await house.settled();
      [from, to] = [to, from];
    };
    const report = await runAudit({
      ...house,
      chain: house.node.chain,
      clock: systemClock,
      refresh,
    });
    expect(report.findings).toEqual([]);
  });

  test('is clean while an asset goes to and fro', async () => {
    const house = await openOne();
    await richAnna(house);
    let isOver = false;
    const pingPong = async (): Promise<void> => {
      for (let from = anna, to = ben; !isOver; [from, to] = [to, from]) {
        const { settlement } = await house.app.gift({ key: newKey(), from, to, assetId: 'pen-0' });
        await house.app.waitForSettlement(settlement.settlementId, 5_000);
      }
    };
    const playing = pingPong();
    const findings = [];
    for (let n = 0; n < 15; n += 1) findings.push(...(await house.app.audit()).findings);
    isOver = true;
    await playing;
    expect(findings).toEqual([]);
  });
});

describe('a hash on the chain that is no hash', () => {
  test('is answered by nothing, at no cost', async () => {
    const house = await openOne();
    const transactionId = uuidv4() as TransactionId;
    const record = encodeRecord({
      successorHash: '$argon2id$v=19$m=4294967295,t=4294967295,p=1$c2FsdHNhbHQ$aGFzaGhhc2g',
      transactionId,
      transactionTime: 1,
      assetId: 'odd' as AssetId,
      ownerId: 'x' as OwnerId,
      metadata: null,
    });
    const commit = remote.addCommit({ parents: [remote.epoch], record });
    remote.branches.set('nfgt-odd', commit);
    remote.tags.set(transactionId, commit);
    await house.node.sync();
    await expect(
      house.app.createTransaction({
        assetId: 'odd',
        ownerId: 'me',
        passphrase: 'guess',
        metadata: {},
        transactionId: undefined,
        key: undefined,
      }),
    ).rejects.toMatchObject({ code: 'PASSPHRASE_MISMATCH' });
  });
});
