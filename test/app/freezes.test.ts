// Failing closed: what an audit finds freezes what it concerns and nothing else, until an audit finds it whole again.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AuditFinding } from '../../src/app/app.ts';
import { freezesOf } from '../../src/app/freezes.ts';
import type { Holder, SettlementKind } from '../../src/app/ports/settlement-store.ts';
import { memberAccount } from '../../src/ledger/ledger-store.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { AssetId, HoldId, OwnerId } from '../../src/shared/ids.ts';
import { MemoryRemote } from '../support/beacon-memory.ts';
import { newKey, openTestApp, person, type TestApp } from '../support/open-test-app.ts';
import { until } from '../support/until.ts';

const KINDS: readonly SettlementKind[] = [
  ...(['catalogue', 'mint', 'roll', 'gift', 'trade', 'payment', 'daily', 'create'] as const),
];
const [anna, ben] = [person(0), person(1)];
const asset = (text: string): AssetId => text as AssetId;

const found = (invariant: string, assetId?: string): AuditFinding => ({
  ...{ invariant, detail: `${invariant} of ${assetId ?? 'all'}` },
  ...(assetId === undefined ? {} : { assetId: asset(assetId) }),
});

/** The kinds that are stopped, with and without a token of this name. */
function stopped(findings: readonly AuditFinding[], assetId: string) {
  const freezes = freezesOf(findings);
  const stops = (drafts: readonly { assetId: AssetId }[]) =>
    KINDS.filter((kind) => freezes.some((freeze) => freeze.stops({ kind, drafts }))).sort();
  return {
    features: freezes.map(({ feature }) => feature),
    withToken: stops([{ assetId: asset(assetId) }]),
    withoutToken: stops([]),
  };
}

describe('the table of freezes', () => {
  const all = [...KINDS].sort();
  const coins = ['daily', 'payment', 'roll', 'trade'];

  test.each([[[]], [[found('recovery', 'pen-0'), found('recovery', 'pen-1')]]])(
    'stops nothing for %j: a lost asset is refused by its own word',
    (findings) => {
      expect(stopped(findings, 'pen-0')).toMatchObject({ withToken: [], withoutToken: [] });
    },
  );

  test.each(['ledger', 'holds'])('stops what moves coins for a finding of %s', (invariant) => {
    expect(stopped([found(invariant)], 'pen-0')).toEqual({
      ...{ features: ['Moving coins'], withToken: coins, withoutToken: coins },
    });
  });

  test.each(['custody', 'reservations'])('stops one asset for its finding of %s', (invariant) => {
    const findings = [found(invariant, 'pen-0')];
    const features = ['pen-0'];
    expect(stopped(findings, 'pen-0')).toEqual({ features, withToken: all, withoutToken: [] });
    expect(stopped(findings, 'pen-1')).toEqual({ features, withToken: [], withoutToken: [] });
  });

  test('stops what moves tokens, and a roll whatever it draws, when many assets are off', () => {
    const findings = ['a', 'b', 'c', 'd'].map((assetId) => found('custody', assetId));
    expect(stopped(findings, 'pen-0')).toEqual({
      ...{ features: ['Moving tokens'], withToken: all, withoutToken: ['roll'] },
    });
    expect(stopped(findings.slice(1), 'pen-0').features).toEqual(['b', 'c', 'd']);
  });

  test('does not take many lost assets for a chain that is off', () => {
    const lost = ['a', 'b', 'c', 'd'].map((assetId) => found('recovery', assetId));
    expect(stopped([...lost, found('custody', 'pen-0')], 'pen-1').withToken).toEqual([]);
  });

  test.each([found('custody'), found('reservations'), found('something new', 'pen-0')])(
    'stops every movement for %j, which says too little or is unknown',
    (finding) => {
      expect(stopped([finding], 'pen-0')).toEqual({
        ...{ features: ['Every movement'], withToken: all, withoutToken: all },
      });
    },
  );

  test('names the widest first, each once, and stops what any of them stops', () => {
    const findings = [
      found('custody', 'a'),
      found('ledger'),
      found('recovery', 'a'),
      found('holds'),
    ];
    const freezes = freezesOf(findings);
    expect(freezes.map(({ feature, invariants }) => [feature, ...invariants])).toEqual([
      ['Moving coins', 'ledger', 'holds'],
      ['a', 'custody', 'recovery'],
    ]);
    expect(stopped(findings, 'a').withToken).toEqual(all);
  });
});

describe('a house where something is off', () => {
  let remote: MemoryRemote;
  let house: TestApp;
  let errors: object[];

  /** Anna has coins and two pens. */
  beforeEach(async () => {
    remote = new MemoryRemote();
    errors = [];
    const logger = { ...silentLogger, error: (facts: object) => void errors.push(facts) };
    house = await openTestApp(remote, { logger });
    await house.app.daily({ key: newKey(), member: anna });
    for (const assetId of ['pen-0', 'pen-1']) {
      await house.app.mint({ key: newKey(), member: anna, assetId });
      await house.settled();
    }
  });

  afterEach(async () => await house.close());

  const pay = () => house.app.pay({ key: newKey(), from: anna, to: ben, amount: '1' });
  const gift = (assetId: string, key = newKey()) =>
    house.app.gift({ key, from: anna, to: ben, assetId });
  const roll = (bannerId: string) =>
    house.app.roll({ key: newKey(), member: anna, count: 1, bannerId });
  const frozen = (feature: string) => ({ code: 'FEATURE_FROZEN', data: { feature } });
  const features = () => house.app.listAlarms().map(({ subject }) => subject);

  /** The rows say something else than the chain. @returns puts it right. */
  async function misplace(
    assetId: string,
    holder: Holder = ben.memberId,
  ): Promise<() => Promise<void>> {
    return await house.database.transaction(async ({ settlements }) => {
      const holding = await settlements.findHolding(asset(assetId));
      if (holding === undefined) throw new Error(`nobody holds ${assetId}`);
      const ownerId = 'somebody' as OwnerId;
      await settlements.putHolding({ ...holding, holder, ownerId });
      return () => house.database.transaction((stores) => stores.settlements.putHolding(holding));
    });
  }

  /** @returns puts it right. */
  async function strayHold(): Promise<() => Promise<void>> {
    const settlement = await house.app.mint({ key: newKey(), member: anna, assetId: 'pen-2' });
    await house.settled();
    const { settlementId } = settlement.settlement;
    const holdId = '00000000-0000-4000-8000-000000000001' as HoldId;
    const accountId = memberAccount(anna.memberId);
    const hold = { holdId, accountId, amountGc: 5, settlementId, placedAt: 1 } as Parameters<
      Parameters<Parameters<typeof house.database.transaction>[0]>[0]['ledger']['placeHold']
    >[0];
    await house.database.transaction(({ ledger }) => ledger.placeHold(hold, 'roll-price'));
    return () =>
      house.database.transaction(async ({ ledger }) => {
        await ledger.releaseHold(holdId, { state: 'released', at: 2 });
      });
  }

  /** Audits while the index does not answer; it does again afterwards. */
  async function auditThatCannotLook(): Promise<void> {
    const { chain } = house.node;
    const fails = (): never => {
      throw new Error('the index is gone');
    };
    Object.assign(chain, { findTip: fails });
    await expect(house.app.audit()).rejects.toThrow('the index is gone');
    Reflect.deleteProperty(chain, 'findTip');
  }

  test('freezes the one asset whose rows and chain disagree; coins and other assets move on', async () => {
    const putRight = await misplace('pen-0');
    await house.app.audit();
    expect(features()).toEqual(['pen-0']);
    await expect(gift('pen-0')).rejects.toMatchObject(frozen('pen-0'));
    await pay();
    await gift('pen-1');
    await house.settled();
    await putRight();
    await house.app.audit();
    expect(features()).toEqual([]);
    await gift('pen-0');
  });

  test('freezes coins for a ledger that is off, charges nothing, and goes on with tokens and reads', async () => {
    const putRight = await strayHold();
    const balance = await house.app.balance(anna.memberId);
    await house.app.audit();
    expect(features()).toEqual(['Moving coins']);
    await expect(pay()).rejects.toMatchObject(frozen('Moving coins'));
    await expect(roll('all')).rejects.toMatchObject(frozen('Moving coins'));
    const daily = house.app.daily({ key: newKey(), member: ben });
    await expect(daily).rejects.toMatchObject(frozen('Moving coins'));
    await gift('pen-0');
    await house.settled();
    expect(await house.app.balance(anna.memberId)).toBe(balance);
    const page = { memberId: anna.memberId, page: 1, pageSize: 10 };
    expect((await house.app.inventory(page)).assets.map(({ assetId }) => assetId)).toContain(
      'pen-1',
    );
    expect((await house.app.viewAsset('pen-0')).holder).toBe(ben.memberId);
    await putRight();
    await house.app.audit();
    await pay();
  });

  test('freezes every movement when the audit itself fails, until one has looked again', async () => {
    await auditThatCannotLook();
    expect(features()).toEqual(['Every movement']);
    await expect(pay()).rejects.toMatchObject(frozen('Every movement'));
    await expect(gift('pen-0')).rejects.toMatchObject(frozen('Every movement'));
    expect(await house.app.balance(anna.memberId)).toBeGreaterThan(0);
    await house.app.audit();
    expect(features()).toEqual([]);
    await pay();
    await gift('pen-0');
  });

  test('looks again by itself soon after an audit that could not look', async () => {
    await auditThatCannotLook();
    expect(features()).toEqual(['Every movement']);
    await until(() => Promise.resolve(features().length === 0));
    await pay();
  });

  test('answers a request that was carried out before, frozen or not', async () => {
    const key = newKey();
    const { settlementId } = (await gift('pen-0', key)).settlement;
    await house.settled();
    await house.database.transaction(({ settlements }) =>
      settlements.reserve(asset('pen-0'), { kind: 'settlement', settlementId }, 1),
    );
    await house.app.audit();
    expect(features()).toEqual(['pen-0']);
    expect((await gift('pen-0', key)).settlement.settlementId).toBe(settlementId);
  });

  test('leaves a trade as it is when it cannot settle, and its offer can still be taken back', async () => {
    const { trade } = await house.app.startTrade({ key: newKey(), from: anna, to: ben });
    await house.app.addToTrade({ member: anna, assetId: 'pen-0' });
    await misplace('pen-0');
    await house.app.audit();
    const expected = { tradeId: trade.tradeId, version: 2 };
    for (const member of [anna, ben]) await house.app.lockTrade({ member, expected });
    await house.app.confirmTrade({ member: anna, other: ben, expected });
    const last = house.app.confirmTrade({ member: ben, other: anna, expected });
    await expect(last).rejects.toMatchObject(frozen('pen-0'));
    expect((await house.app.getTrade(trade.tradeId)).trade.state).toBe('open');
    await house.app.cancelTrade({ member: anna });
  });

  test('rolls past a frozen prize, and is never refused for what it drew', async () => {
    for (const assetId of ['lamp-0', 'lamp-1', 'lamp-2']) await misplace(assetId, 'bot');
    await house.app.audit();
    const { draws } = await roll('lamps');
    expect(draws[0]?.prize).toMatchObject({ asset: { assetId: 'lamp-3' } });
    await expect(roll('lamps')).rejects.toMatchObject({ code: 'NO_PRIZE_LEFT' });
    await house.settled();
  });

  test('says in the log, at error level, what froze: once, and not at every audit', async () => {
    await misplace('pen-0');
    for (let n = 0; n < 3; n += 1) await house.app.audit();
    expect(errors.filter((facts) => 'feature' in facts)).toEqual([
      { feature: 'pen-0', invariants: ['custody'], findings: 1 },
    ]);
  });

  test('keeps an alarm for a chain that was rewritten, until it is put back', async () => {
    const branch = remote.branches.get('nfgt-pen-0');
    if (branch === undefined) throw new Error('the pen is not on the chain');
    let looks = 0;
    house.app.onAlarmsLooked(() => (looks += 1));
    remote.branches.delete('nfgt-pen-0');
    await house.node.sync();
    const [alarm] = house.app.listAlarms();
    expect(alarm).toMatchObject({ kind: 'rewriting', details: ['branch nfgt-pen-0'], total: 1 });
    expect(looks).toBe(1);
    await house.app.audit();
    expect(house.app.listAlarms()).toEqual([alarm]);
    remote.branches.set('nfgt-pen-0', branch);
    await house.node.sync();
    expect([house.app.listAlarms(), looks]).toEqual([[], 3]);
  });
});
