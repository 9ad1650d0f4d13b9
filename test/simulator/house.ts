// One life of the program: the real parts, from the database to the app, on the simulated machine, disk and network.
import { openApp, type OpenApp } from '../../src/app/open-app.ts';
import { openNode } from '../../src/chain/open-node.ts';
import type { NfgtNode } from '../../src/chain/node.ts';
import { Publisher } from '../../src/chain/publisher.ts';
import { openWriter } from '../../src/db/connection.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openIndexOn } from '../../src/db/sqlite-chain-index.ts';
import { SqliteDatabase } from '../../src/db/sqlite-database.ts';
import { parseGuyacha } from '../../src/guyacha/load-guyacha.ts';
import { cryptoRandomness } from '../../src/guyacha/randomness.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { guyaCoin } from '../../src/shared/guya-coin.ts';
import type { Logger } from '../../src/shared/logger.ts';
import { RecoveryJournal } from '../../src/vault/recovery-journal.ts';
import { openVault, type Vault } from '../../src/vault/vault.ts';
import { openDiscordEdge } from './discord-edge.ts';
import { DISK } from './memory-disk.ts';
import { SimulatedBeacon } from './simulated-beacon.ts';
import type { World } from './world.ts';

export type Handle = ReturnType<typeof openWriter>;

export const DAILY_GC = 1_000;
export const ROLL_PRICE_GC = 60;
export const COIN_PRIZE_GC = 30;
/** Short enough that several pass in one seed. */
const TRADE_EXPIRY_MS = 90_000;

const GUYACHA = parseGuyacha(
  `
catalogue:
  series:
    - id: lamps
      name: Lamps
      held: bot
      stars: 3
      assets: [{ id: lamp-0, name: Lamp 0 }, { id: lamp-1, name: Lamp 1 }, { id: lamp-2, name: Lamp 2 }]
    - id: pens
      name: Pens
      held: open
      stars: 1
      assets: [{ id: pen-0, name: Pen 0 }, { id: pen-1, name: Pen 1 }, { id: pen-2, name: Pen 2 }]
  cards:
    - { id: stamp, name: Stamp, stars: 1 }
banners:
  - id: all
    name: All
    price: ${ROLL_PRICE_GC}
    entries:
      - { id: coins, name: Some coins, stars: 1, weight: 30, coins: ${COIN_PRIZE_GC} }
      - { id: stamp, name: A stamp, stars: 1, weight: 10, card: stamp }
      - { id: lamp, name: A lamp, weight: 60, series: lamps }
`,
  'simulated.yaml',
);

/** An empty, migrated state database, made once a process. */
let template: Buffer | undefined;

export async function stateTemplate(): Promise<Buffer> {
  if (template !== undefined) return template;
  const handle = openWriter(':memory:');
  await migrate(handle, 'the template');
  template = handle.serialize();
  handle.close();
  return template;
}

/** The program's parts while it runs; `app` is there once the start is over. */
export interface Life {
  readonly handle: Handle;
  readonly indexHandle: Handle;
  vault: Vault | undefined;
  recovery: RecoveryJournal | undefined;
  node: NfgtNode | undefined;
  app: OpenApp | undefined;
  /** Why the start failed. */
  failure: unknown;
  /** It is to die before anything else happens: what it still answers is heard by nobody. */
  isDying: boolean;
}

/**
 * A database in memory. It outlives the program, as a file does: what the next life finds is what was committed. Each
 * statement is prepared once for all lives, which is most of what a start costs.
 */
export function openMemory(bytes?: Buffer): Handle {
  const handle = openWriter(bytes ?? ':memory:');
  const prepare = handle.prepare.bind(handle) as (sql: string) => ReturnType<Handle['prepare']>;
  const prepared = new Map<string, ReturnType<Handle['prepare']>>();
  handle.prepare = ((sql: string) => {
    const known = prepared.get(sql) ?? prepare(sql);
    prepared.set(sql, known);
    return known;
  }) as Handle['prepare'];
  return handle;
}

/** Starts the program on what an earlier life has left. It goes on by itself, event by event. */
export function startLife(world: World): Life {
  const life: Life = {
    handle: world.state,
    indexHandle: world.index,
    vault: undefined,
    recovery: undefined,
    node: undefined,
    app: undefined,
    failure: undefined,
    isDying: false,
  };
  openParts(world, life).catch((error: unknown) => {
    life.failure = error;
  });
  return life;
}

async function openParts(world: World, life: Life): Promise<void> {
  const logger = tracingLogger(world, life);
  const database = new SqliteDatabase(life.handle, undefined);
  const vault = await openVault({ keyFile: `${DISK}/vault.key`, headers: database });
  life.vault = vault;
  const recovery = new RecoveryJournal({ file: `${DISK}/recovery.journal`, vault, logger });
  life.recovery = recovery;
  const index = openIndexOn(life.indexHandle);
  const beacon = new SimulatedBeacon(world);
  const sealer = vault.sealerFor('predecessor-passphrase');
  const node = await openNode({
    ...{ beacon, index, database, logger, sealer },
    clock: systemClock,
    role: 'auto',
    committer: 'abc123',
    syncIntervalMs: 4_000,
    roleCheckIntervalMs: 10_000,
  });
  life.node = node;
  const publisher = new Publisher({
    entry: { id: 'abc123', publicKey: 'ssh-ed25519 AAAA', introspectionUrl: null },
    mayWrite: async () => {
      const { role, rewriting } = await node.status();
      return role === 'validator' && rewriting === null;
    },
    ...{ beacon, index, database, sealer, clock: systemClock, logger },
    intervalMs: 10_000,
  });
  const app = await openApp({
    ...{ database, node, vault, recovery, logger },
    guyacha: GUYACHA,
    randomness: cryptoRandomness,
    clock: systemClock,
    chainPrivacy: 'pseudonymous',
    dailyGc: guyaCoin(DAILY_GC),
    mintCooldownMs: 0,
    tradeExpiryMs: TRADE_EXPIRY_MS,
    auditIntervalMs: 45_000,
  });
  const closeDiscord = openDiscordEdge(world, app, logger);
  life.app = app;
  world.onClose(life, async () => {
    await closeDiscord();
    await app.close();
    await node.close();
    await publisher.close();
    await recovery.close();
  });
}

/** The log goes into the trace: its order is a part of what must repeat. */
function tracingLogger(world: World, life: Life): Logger {
  const say =
    (level: string) =>
    (facts: object, message: string): void => {
      const { err } = facts as { readonly err?: unknown };
      world.trace.say(`${level}: ${message}${err instanceof Error ? `: ${err.message}` : ''}`);
      if (life === world.life && !life.isDying) world.discord.onLog(message, facts);
      // What a process says while it dies is no finding.
      const isFinding = message === 'the audit found something off';
      if (isFinding && !life.isDying) world.onFinding(facts);
    };
  return { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') };
}
