// The real app as a house for the tests of the commands: real git, real SQLite, the vault, on a directory of its own.
import { rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { v4 as uuidv4 } from 'uuid';
import { Custody, type Delivery } from '../../src/app/custody.ts';
import { openApp, type AppOptions, type OpenApp } from '../../src/app/open-app.ts';
import { makeOwnerIds } from '../../src/app/owner-ids.ts';
import { Settlements } from '../../src/app/settlements.ts';
import { MAX_GROUP_TRANSACTIONS } from '../../src/chain/open-node.ts';
import { parseConfig } from '../../src/config.ts';
import { Closers, dataFiles, openCore, type Core } from '../../src/core.ts';
import { parseGuyacha } from '../../src/guyacha/load-guyacha.ts';
import { seededRandomness } from '../../src/guyacha/randomness.ts';
import { memberAccount } from '../../src/ledger/ledger-store.ts';
import { payFromBank } from '../../src/ledger/posting.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { AssetId, IdempotencyKey, MemberId } from '../../src/shared/ids.ts';
import { keepingLogger, type LogLine } from '../discord/bot.ts';
import type { House } from './fake-app.ts';
import { git, tempDir } from './temp-dir.ts';

/** What the bot of a real house gives: prizes, a mint, and banners for what goes wrong. */
export const HOUSE_GUYACHA = `
catalogue:
  series:
    - id: pages
      name: Pages
      held: bot
      stars: 3
      assets: [{ id: page, name: A page, copies: 6 }]
    - id: fresh
      name: Fresh ink
      held: open
      stars: 4
      assets: [{ id: fresh, name: A fresh page, copies: 4 }]
  assets:
    - { id: only-lamp, name: The only lamp, stars: 6, held: bot }
    - { id: last-lamp, name: The last lamp, stars: 6, held: bot }
  cards:
    - { id: joker, name: A joker, stars: 2 }
banners:
  - id: spring
    name: Spring
    price: 60
    entries:
      - { id: coins, name: Some coins, stars: 1, weight: 60, coins: 20 }
      - { card: joker, weight: 20 }
      - { id: page, name: A page, weight: 20, series: pages }
  - id: rare
    name: Rare
    price: 60
    entries:
      - { id: lamp, name: The lamp, weight: 1000000000, asset: only-lamp }
      - { id: crumbs, name: Crumbs, stars: 1, weight: 1, coins: 1 }
  - id: single
    name: Single
    price: 60
    entries: [{ id: lamp, name: The last one, weight: 1, asset: last-lamp }]
  - id: past
    name: Past
    price: 60
    end: 2020-01-01T00:00:00Z
    entries: [{ coins: 1, weight: 1 }]
`;

/** Nothing to mint: what a test finds on the chain, it has put there. */
export const EMPTY_GUYACHA = `
banners:
  - { id: crumbs, name: Crumbs, price: 60, entries: [{ coins: 1, weight: 1 }] }
`;

/** Every row of every table of the authoritative database. */
type Tables = Readonly<Record<string, readonly unknown[]>>;

/** Everything that must not change when something is refused. */
export interface Snapshot {
  readonly tables: Tables;
  /** Every ref of the beacon with its commit. */
  readonly refs: string;
}

export interface RealHouse extends House {
  readonly app: OpenApp;
  readonly core: Core;
  readonly log: readonly LogLine[];
  tables(): Tables;
  snapshot(): Snapshot;
  /** Runs plain git on the beacon. */
  git(...args: string[]): string;
  /** Resolves when no settlement is under way. */
  settled(): Promise<void>;
}

export interface RealHouseOptions {
  /** Settings of the environment beside DATA_DIR; a BEACON_URL has to be a path. */
  readonly env?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
  /** The text of a Guyacha file. */
  readonly guyacha?: string;
  readonly atStep?: AppOptions['atStep'];
}

const PATIENCE_MS = 15_000;

/** Opens the app as the program does, without its edges. */
export async function openRealHouse({
  env = {},
  dataDir = join(tempDir(), 'data'),
  guyacha = HOUSE_GUYACHA,
  atStep,
}: RealHouseOptions = {}): Promise<RealHouse> {
  const config = parseConfig({ DATA_DIR: dataDir, BEACON_SYNC_INTERVAL_MS: '3600000', ...env });
  const logger = keepingLogger();
  const closers = new Closers();
  const core = await openCore(config, closers, { logger, ambient: process.env });
  const app = await openApp({
    ...core,
    ...config,
    guyacha: parseGuyacha(guyacha, 'house.yaml'),
    // The same rolls in every run.
    randomness: seededRandomness('house'),
    clock: systemClock,
    logger,
    atStep,
  });
  closers.add(() => app.close());
  const grants = makeGrants({ ...core, clock: systemClock, logger });
  const beacon = config.beaconUrl ?? dataFiles(dataDir).beacon;
  const chain = makeHold(beacon);
  return {
    app,
    core,
    log: logger.lines,
    ...grants,
    ...chain,
    git: (...args) => git(beacon, args),
    tables: () => readTables(dataDir),
    snapshot: () => takeSnapshot(dataDir, beacon),
    settled: () => waitUntilSettled(core),
    close: async () => {
      chain.releaseChain();
      await closers.closeAll();
    },
  };
}

/** Gifts from nowhere, made the way the app makes everything: by settlements. */
function makeGrants(
  parts: ConstructorParameters<typeof Settlements>[0] & Pick<Core, 'vault'>,
): Pick<House, 'grantCoins' | 'grantAssets'> {
  const { node, vault } = parts;
  const ownerIds = makeOwnerIds('pseudonymous', vault.deriveKey('owner-ids'));
  const settlements = new Settlements(parts);
  const custody = new Custody({ ...parts, ownerIds });
  const newKey = (): IdempotencyKey => `grant:${uuidv4()}` as IdempotencyKey;

  const mint = async (deliveries: readonly Delivery[]): Promise<void> => {
    const { view } = await settlements.move({ key: newKey(), kind: 'mint' }, async () => ({
      ...(await custody.plan(deliveries)),
      custody: 'bot',
      prepare: async (stores) => {
        await custody.confirm(stores, deliveries);
        return { answer: null };
      },
    }));
    const { state } = await settlements.wait(view.settlementId, PATIENCE_MS);
    if (state !== 'settled') throw new Error(`A grant of assets is ${state}.`);
  };

  return {
    grantCoins: async (memberId, gc) => {
      const creditAccount = memberAccount(memberId as MemberId);
      await settlements.move({ key: newKey(), kind: 'daily' }, () => ({
        drafts: [],
        handOvers: [],
        custody: 'bot',
        prepare: async ({ ledger }, { settlementId, at }) => {
          const payout = { creditAccount, amountGc: gc as never, code: 'daily' as const };
          await payFromBank(ledger, { ...payout, settlementId, position: 0, at });
          return { answer: null };
        },
      }));
    },
    grantAssets: async (memberId, count) => {
      const to = memberId as MemberId;
      const made = Array.from({ length: count }, () => `m-${uuidv4()}` as AssetId);
      for (let start = 0; start < count; start += MAX_GROUP_TRANSACTIONS) {
        const group = made.slice(start, start + MAX_GROUP_TRANSACTIONS);
        await mint(
          group.map((assetId) => ({ assetId, from: null, to, person: undefined, costGc: 0 })),
        );
      }
      // Those of one millisecond are told apart as the lists do it: by their transactions.
      const ageOf = (assetId: AssetId): { readonly at: number; readonly id: string } => {
        const { transactionTime: at = 0, transactionId: id = '' } =
          node.chain.findTip(assetId) ?? {};
        return { at, id };
      };
      return made.sort((a, b) => {
        const [left, right] = [ageOf(a), ageOf(b)];
        return left.at - right.at || (left.id < right.id ? 1 : -1);
      });
    },
  };
}

/** Holds the chain at the remote itself: git waits in the beacon's hook for as long as the hook is there. */
function makeHold(beacon: string): Pick<House, 'holdChain' | 'releaseChain'> {
  const hook = join(beacon, 'hooks', 'pre-receive');
  return {
    holdChain: () => {
      mkdirSync(dirname(hook), { recursive: true });
      const wait = `#!/bin/sh\nwhile [ -e '${hook}' ]; do sleep 0.02; done\n`;
      writeFileSync(hook, wait, { mode: 0o755 });
    },
    releaseChain: () => rmSync(hook, { force: true }),
  };
}

/** Reads the state from outside, as it would survive the process. */
export function takeSnapshot(dataDir: string, beacon = dataFiles(dataDir).beacon): Snapshot {
  const refs = git(beacon, ['for-each-ref', '--format=%(refname) %(objectname)'])
    .split('\n')
    // The validator presents itself there, whenever it comes to it.
    .filter((line) => !line.startsWith('refs/heads/well-known '))
    .join('\n');
  return { tables: readTables(dataDir), refs };
}

function readTables(dataDir: string): Tables {
  const db = new BetterSqlite3(dataFiles(dataDir).state, { readonly: true });
  try {
    const names = db
      .prepare<[], string>(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
      )
      .pluck()
      .all();
    const rowsOf = (name: string): unknown[] => db.prepare(`SELECT * FROM "${name}"`).all();
    return Object.fromEntries(names.map((name) => [name, rowsOf(name)]));
  } finally {
    db.close();
  }
}

async function waitUntilSettled({ database }: Core): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (Date.now() < giveUpAt) {
    const open = await database.read(({ settlements }) => settlements.listPrepared());
    if (open.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('A settlement never ended.');
}
