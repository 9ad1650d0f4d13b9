// A storm over the whole house: members act at once, pushes fail, strangers interfere, the process dies at any step;
// after every restart nothing may be lost, doubled or stuck.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Person } from '../../src/app/app.ts';
import type { Database, Stores } from '../../src/app/ports/database.ts';
import type { CommitDraft, PushResult } from '../../src/chain/beacon.ts';
import { branchOf } from '../../src/chain/refs.ts';
import { openDatabase } from '../../src/db/open-database.ts';
import { seededRandomness } from '../../src/guyacha/randomness.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { AssetId } from '../../src/shared/ids.ts';
import {
  MemoryBeacon,
  MemoryRemote,
  type PushFailure,
  moveByStranger,
} from '../support/beacon-memory.ts';
import {
  newKey,
  openTestApp,
  person,
  waitUntilSettled,
  type TestApp,
} from '../support/open-test-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const RUNS = Number(process.env['STORM_RUNS'] ?? 10);
const PEOPLE = [person(0), person(1), person(2)] as const;

class Death extends Error {}

/** One life of the process: from its death on, nothing that it does reaches the disk or the remote. */
class Life {
  isDead = false;
  /** How many database transactions it has left, and whether the last one still gets to the disk. */
  left = Infinity;
  isLastWritten = false;

  assertAlive(): void {
    if (this.isDead) throw new Death('the process is dead');
  }

  /** A database that dies with this life, before or right after one of its transactions. */
  mortal(database: Database): Database {
    return {
      read: async (work) => {
        this.assertAlive();
        const result = await database.read(work);
        this.assertAlive();
        return result;
      },
      transaction: async (work) => {
        this.assertAlive();
        this.left -= 1;
        const isLast = this.left <= 0;
        if (isLast) this.isDead = true;
        if (isLast && !this.isLastWritten) this.assertAlive();
        const result = await database.transaction(work as (stores: Stores) => Promise<never>);
        this.assertAlive();
        return result;
      },
      close: () => database.close(),
    };
  }
}

/** A remote that also gets a push half-written when it dies, and is not there for the dead. */
class StormBeacon extends MemoryBeacon {
  readonly life: Life;
  /** How many refs of the next push are written before the remote dies; undefined: it lives. */
  halfWritten: number | undefined;

  constructor(remote: MemoryRemote, life: Life) {
    super(remote);
    this.life = life;
  }

  override async push(drafts: readonly CommitDraft[]): Promise<PushResult> {
    await Promise.resolve();
    this.life.assertAlive();
    const refs = this.halfWritten;
    this.halfWritten = undefined;
    if (refs === undefined) return super.push(drafts);
    for (const draft of drafts.slice(0, Math.ceil(refs / 2))) {
      const { branches, tags } = this.remote;
      const tip = branches.get(branchOf(draft.assetId)) ?? this.remote.epoch;
      if (tip !== draft.parent) continue;
      const commit = this.remote.addDraft(draft);
      branches.set(branchOf(draft.assetId), commit);
      if (refs % 2 === 0) tags.set(draft.transactionId, commit);
    }
    return { outcome: 'unknown', reason: 'the remote died' };
  }
}

type Act =
  | {
      readonly kind: 'daily' | 'roll' | 'gift' | 'mint' | 'pay' | 'trade';
      readonly by: number;
      readonly n: number;
    }
  | { readonly kind: 'cancel' | 'create'; readonly by: number; readonly n: number };
type Step =
  | { readonly kind: 'acts'; readonly acts: readonly Act[] }
  | { readonly kind: 'failure'; readonly failure: PushFailure }
  | { readonly kind: 'half-written'; readonly refs: number }
  | { readonly kind: 'stranger'; readonly n: number }
  | { readonly kind: 'die'; readonly after: number; readonly isLastWritten: boolean }
  | { readonly kind: 'sync' | 'restart' | 'restart-without-index' | 'audit' };

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom(
    'roll',
    'gift',
    'trade',
    'mint',
    'pay',
    'roll',
    'trade',
    'cancel',
    'daily',
    'create',
  ),
  by: fc.nat(2),
  n: fc.nat(5),
});
const failure: fc.Arbitrary<PushFailure> = fc.constantFrom<PushFailure[]>(
  { kind: 'lose-answer' },
  { kind: 'cut' },
  { kind: 'refuse', reason: 'cannot lock ref', retryable: true },
  { kind: 'refuse', reason: 'declined', retryable: false },
);
const acts = fc.record({
  kind: fc.constant('acts' as const),
  acts: fc.array(act, { minLength: 1, maxLength: 6 }),
});
const trouble: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('failure' as const), failure }),
  fc.record({ kind: fc.constant('half-written' as const), refs: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constant('stranger' as const), n: fc.nat(7) }),
  fc.record({
    kind: fc.constant('die' as const),
    after: fc.integer({ min: 1, max: 12 }),
    isLastWritten: fc.boolean(),
  }),
  fc.record({
    kind: fc.constantFrom(
      'sync' as const,
      'restart' as const,
      'restart-without-index' as const,
      'audit' as const,
    ),
  }),
);
const steps = fc.array(
  fc.oneof({ arbitrary: acts, weight: 3 }, { arbitrary: trouble, weight: 2 }),
  {
    minLength: 8,
    maxLength: 24,
    size: 'max',
  },
);

interface World {
  readonly remote: MemoryRemote;
  readonly folder: string;
  readonly strangers: Set<string>;
  house: TestApp;
  life: Life;
  beacon: StormBeacon;
  /** The database under the mortal one. */
  below: Database;
}

async function open(
  remote: MemoryRemote,
  folder: string,
): Promise<Pick<World, 'house' | 'life' | 'beacon' | 'below'>> {
  const life = new Life();
  const beacon = new StormBeacon(remote, life);
  const below = await openDatabase({ file: join(folder, 'state.sqlite') });
  const house = await openTestApp(remote, {
    beacon,
    folder,
    database: life.mortal(below),
    randomness: seededRandomness(folder.slice(-6)),
  });
  return { house, life, beacon, below };
}

/** A new life on what the old one left on disk and remote. */
async function restart(world: World, meanwhile = (): void => undefined): Promise<void> {
  world.life.isDead = true;
  await world.house.node.close().catch(() => undefined);
  world.house.index.close();
  await world.below.close();
  meanwhile();
  Object.assign(world, await open(world.remote, world.folder));
  expect((await world.house.app.audit()).findings).toEqual([]);
}

async function tolerate(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof AppError || error instanceof Death) return;
    throw error;
  }
}

async function perform({ app }: TestApp, { kind, by, n }: Act): Promise<unknown> {
  const me = PEOPLE[by] as Person;
  const other = PEOPLE[(by + 1 + (n % 2)) % 3] as Person;
  const key = newKey();
  const mine = await app.findTradeable(me.memberId, '');
  const assetId = mine[n % Math.max(1, mine.length)]?.assetId ?? 'none';
  switch (kind) {
    case 'daily':
      return app.daily({ key, member: me });
    case 'roll':
      return app.roll({ key, member: me, count: 1 + (n % 3), bannerId: 'all' });
    case 'mint':
      return app.mint({ key, member: me, assetId: `pen-${n % 4}` });
    case 'pay':
      return app.pay({ key, from: me, to: other, amount: n === 0 ? 'all' : String(n) });
    case 'gift':
      return app.gift({ key, from: me, to: other, assetId });
    case 'cancel':
      return app.cancelTrade({ member: me });
    case 'create':
      return app.createTransaction({
        assetId: `api-${n}`,
        ownerId: 'caller',
        passphrase: undefined,
        metadata: {},
        transactionId: undefined,
        key,
      });
    case 'trade':
      return trade(app, me, other, n);
  }
}

async function trade(app: TestApp['app'], me: Person, other: Person, n: number): Promise<void> {
  await tolerate(() => app.startTrade({ key: newKey(), from: me, to: other }));
  const { trade: found } = await app.showTrade(me.memberId);
  for (const { memberId } of found.sides) {
    const member = PEOPLE.find((each) => each.memberId === memberId) as Person;
    const [first] = await app.findTradeable(memberId, '');
    if (first !== undefined)
      await tolerate(() => app.addToTrade({ member, assetId: first.assetId }));
  }
  if (n > 0) await tolerate(() => app.setTradeCoins({ member: me, amount: String(n) }));
  if (n === 5) return;
  const { trade: offered } = await app.getTrade(found.tradeId);
  const expected = { tradeId: offered.tradeId, version: offered.version };
  const members = offered.sides.map(
    ({ memberId }) => PEOPLE.find((each) => each.memberId === memberId) as Person,
  );
  for (const member of members) await app.lockTrade({ member, expected });
  // Both at once, and one of them twice.
  await Promise.all(
    [...members, me].map((member) =>
      tolerate(() => app.confirmTrade({ member, other: undefined, expected })),
    ),
  );
}

async function take(world: World, step: Step): Promise<void> {
  switch (step.kind) {
    case 'acts':
      await Promise.all(step.acts.map((each) => tolerate(() => perform(world.house, each))));
      if (world.life.isDead) await restart(world);
      return;
    case 'failure':
      world.remote.failPushes(step.failure);
      return;
    case 'half-written':
      world.beacon.halfWritten = step.refs;
      return;
    case 'stranger': {
      const assetId = step.n < 4 ? `lamp-${step.n}` : `pen-${step.n - 4}`;
      world.strangers.add(assetId);
      moveByStranger(world.remote, assetId);
      return;
    }
    case 'die':
      world.life.left = step.after;
      world.life.isLastWritten = step.isLastWritten;
      return;
    case 'sync':
      return tolerate(() => world.house.node.sync());
    case 'restart':
      return restart(world);
    case 'restart-without-index':
      return restart(world, () => rmSync(join(world.folder, 'index.sqlite')));
    case 'audit':
      await tolerate(async () => {
        expect((await world.house.app.audit()).findings).toEqual([]);
      });
  }
}

/** With all trouble over, everything ends and adds up. */
async function expectWhole(world: World): Promise<void> {
  while (world.remote.takeFailure() !== undefined);
  world.beacon.halfWritten = undefined;
  await restart(world);
  const { house, remote, strangers } = world;
  await waitUntilSettled(house.database);
  await house.node.sync();
  await delay(5);
  for (const member of PEOPLE) await tolerate(() => house.app.cancelTrade({ member }));
  const report = await house.app.audit();
  expect(report.findings).toEqual([]);
  expect(report.counts).toMatchObject({
    openSettlements: 0,
    openHolds: 0,
    reservations: 0,
    pendingTransactions: 0,
  });
  const held = await house.database.read(({ settlements }) => settlements.listAllHoldings());
  const onChain = [...remote.branches.keys()]
    .filter((branch) => branch.startsWith('nfgt-lamp') || branch.startsWith('nfgt-pen'))
    .map((branch) => branch.slice(5))
    .filter((assetId) => house.node.chain.findTip(assetId as AssetId) !== undefined)
    .filter((assetId) => house.node.chain.findTip(assetId as AssetId)?.ownerId !== 'stranger');
  expect(held.map(({ assetId }) => assetId).toSorted()).toEqual(onChain.toSorted());
  // And everything that is held can still be moved.
  for (const { assetId, holder } of held) {
    if (holder === 'bot') continue;
    const from = PEOPLE.find(({ memberId }) => memberId === holder) as Person;
    const to = PEOPLE.find(({ memberId }) => memberId !== holder) as Person;
    const { settlement } = await house.app.gift({ key: newKey(), from, to, assetId });
    const ended = await house.app.waitForSettlement(settlement.settlementId, 5_000);
    expect(ended.state).toBe('settled');
  }
  expect(strangers.size).toBeLessThan(9);
}

test('nothing is lost, doubled or stuck in a storm', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (storm) => {
      const remote = new MemoryRemote();
      const folder = tempDir();
      const world: World = {
        remote,
        folder,
        strangers: new Set(),
        ...(await open(remote, folder)),
      };
      try {
        for (const member of PEOPLE) await world.house.app.daily({ key: newKey(), member });
        for (const step of storm) await take(world, step);
        await expectWhole(world);
      } finally {
        world.life.isDead = true;
        await world.house.node.close();
        world.house.index.close();
        await world.below.close();
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
}, 600_000);
