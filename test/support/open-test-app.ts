// The real app over a beacon in memory and a real database, fast enough for hundreds of restarts.
import { join } from 'node:path';
import { v4 as uuidv4 } from 'uuid';
import type { Person } from '../../src/app/app.ts';
import { openApp, type AppOptions, type OpenApp } from '../../src/app/open-app.ts';
import type { Database } from '../../src/app/ports/database.ts';
import type { Beacon } from '../../src/chain/beacon.ts';
import type { ChainIndex } from '../../src/chain/chain-index.ts';
import { openNode } from '../../src/chain/open-node.ts';
import type { NfgtNode } from '../../src/chain/node.ts';
import { openDatabase } from '../../src/db/open-database.ts';
import { openChainIndex } from '../../src/db/sqlite-chain-index.ts';
import { parseGuyacha } from '../../src/guyacha/load-guyacha.ts';
import { seededRandomness } from '../../src/guyacha/randomness.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { guyaCoin } from '../../src/shared/guya-coin.ts';
import type { IdempotencyKey, MemberId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { RecoveryJournal } from '../../src/vault/recovery-journal.ts';
import { openVault, type Vault } from '../../src/vault/vault.ts';
import { MemoryBeacon, type MemoryRemote } from './beacon-memory.ts';
import { tempDir } from './temp-dir.ts';

const names = (id: string, name: string, count: number): string =>
  Array.from({ length: count }, (_, n) => `{ id: ${id}-${n}, name: ${name} ${n} }`).join(', ');

/** Lamps to win, four pens to mint, coins between them. */
export const testGuyacha = (lamps = 4): string => `
catalogue:
  series:
    - id: lamps
      name: Lamps
      held: bot
      stars: 3
      assets: [${names('lamp', 'Lamp', lamps)}]
    - id: pens
      name: Pens
      held: open
      stars: 1
      assets: [${names('pen', 'Pen', 4)}]
banners:
  - id: all
    name: All
    price: 60
    entries:
      - { id: coins, name: Some coins, stars: 1, weight: 50, coins: 30 }
      - { id: lamp, name: A lamp, weight: 50, series: lamps }
  - id: lamps
    name: Lamps
    price: 60
    entries: [{ id: lamp, name: A lamp, weight: 1, series: lamps }]
`;

export interface TestApp {
  readonly app: OpenApp;
  readonly node: NfgtNode;
  readonly database: Database;
  readonly vault: Vault;
  readonly recovery: RecoveryJournal;
  readonly index: ChainIndex;
  /** Resolves when no settlement is under way. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface TestAppOptions extends Partial<AppOptions> {
  readonly beacon?: Beacon;
  /** Where state, index and key live; the same folder opened again is the same bot after a restart. */
  readonly folder?: string;
  readonly recoveryFile?: string;
  readonly syncIntervalMs?: number;
  /** How long a push whose answer was lost may still arrive. */
  readonly latePushMs?: number;
}

const PATIENCE_MS = 15_000;

/** Opens the app; who opens it closes it. */
export async function openTestApp(
  remote: MemoryRemote,
  {
    beacon = new MemoryBeacon(remote),
    folder = tempDir(),
    recoveryFile = join(folder, 'recovery.journal'),
    syncIntervalMs = 3_600_000,
    latePushMs,
    ...options
  }: TestAppOptions = {},
): Promise<TestApp> {
  const logger = options.logger ?? silentLogger;
  const database = options.database ?? (await openDatabase({ file: join(folder, 'state.sqlite') }));
  const vault = await openVault({ keyFile: join(folder, 'vault.key'), headers: database });
  const recovery = new RecoveryJournal({ file: recoveryFile, vault, logger });
  const index = openChainIndex(join(folder, 'index.sqlite'));
  const node = await openNode({
    beacon,
    index,
    database,
    clock: systemClock,
    logger,
    role: 'auto',
    committer: 'abc123',
    sealer: vault,
    syncIntervalMs,
    latePushMs,
  });
  const app = await openApp({
    database,
    node,
    vault,
    recovery,
    logger,
    guyacha: parseGuyacha(testGuyacha(), 'test.yaml'),
    randomness: seededRandomness('test'),
    clock: systemClock,
    chainPrivacy: 'pseudonymous',
    dailyGc: guyaCoin(1_000),
    mintCooldownMs: 0,
    tradeExpiryMs: 3_600_000,
    auditIntervalMs: 3_600_000,
    ...options,
  });
  return {
    app,
    node,
    database,
    vault,
    recovery,
    index,
    settled: () => waitUntilSettled(database),
    close: async () => {
      await app.close();
      await node.close();
      index.close();
      await recovery.close();
      await database.close();
    },
  };
}

/** Resolves when no settlement of this database is under way. */
async function waitUntilSettled(database: Database): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (Date.now() < giveUpAt) {
    const open = await database.read(({ settlements }) => settlements.listPrepared());
    if (open.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('a settlement never ended');
}

export const newKey = (): IdempotencyKey => `test:${uuidv4()}` as IdempotencyKey;

export const person = (n: number): Person => ({
  memberId: String(100 + n) as MemberId,
  name: `member ${n}`,
  pictureUrl: undefined,
  isBot: false,
});
