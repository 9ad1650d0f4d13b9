// The metrics that are looked up whenever somebody asks: what waits, how old it is, how large the files are.
import { statfs, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../app/ports/database.ts';
import type { NfgtNode, NodeStatus } from '../chain/node.ts';
import type { RecoveryJournal } from '../vault/recovery-journal.ts';

/** What is looked at. */
export interface Watched {
  readonly node: Pick<NfgtNode, 'status'>;
  readonly database: Database;
  /** The database's file. */
  readonly stateFile: string;
  /** Undefined on an observer, which keeps no passphrase. */
  readonly recovery: Pick<RecoveryJournal, 'file' | 'isWritable'> | undefined;
  /** Undefined on a node without a bot. */
  readonly isOnDiscord: (() => boolean) | undefined;
}

/** Makes the gauges. @returns brings them up to date. */
export function makeLookedUp(registry: Registry): (watched: Watched) => Promise<void> {
  const looks = [
    makeNodeGauges(registry),
    makeRowGauges(registry),
    makeFileGauges(registry),
    makeEdgeGauges(registry),
  ];
  const failed = gauge(registry, 'aibot_scrape_failures', 'Parts of this scrape that gave nothing');
  return async (watched) => {
    // One part that fails must not hide the others: it is then that an operator looks.
    const results = await Promise.allSettled(looks.map((look) => look(watched)));
    failed.set(results.filter(({ status }) => status === 'rejected').length);
  };
}

type Look = (watched: Watched) => Promise<void>;

function gauge<Label extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: Label[] = [],
): Gauge<Label> {
  return new Gauge({ name, help, labelNames, registers: [registry] });
}

const secondsAgo = (at: number): number => Math.max(0, Date.now() - at) / 1_000;

function makeNodeGauges(registry: Registry): Look {
  const make = (name: string, help: string): Gauge => gauge(registry, `aibot_${name}`, help);
  const role = gauge(registry, 'aibot_node_role', '1 for the role that the node has', ['role']);
  const reachable = make('node_beacon_reachable', '1 when the last look at the beacon succeeded');
  const rewritten = make(
    'node_chain_rewritten',
    '1 while the chain is rewritten and writing stopped',
  );
  const syncAge = make('node_last_sync_age_seconds', 'Time since the last successful sync');
  const pending = make('node_pending_transactions', 'Transactions that wait for the beacon');
  const inFlight = make('node_in_flight_transactions', 'Those of them in the push under way');
  const oldest = make('node_oldest_pending_age_seconds', 'Age of the oldest of them; 0 for none');
  const assets = make('index_assets', 'Assets on the chain');
  const transactions = make('index_transactions', 'Committed transactions');
  const faults = make(
    'index_faults',
    'Commits that break the format and were skipped; at most 100',
  );
  return async ({ node }) => {
    const status: NodeStatus = await node.status();
    for (const each of ['validator', 'observer'] as const) {
      role.set({ role: each }, status.role === each ? 1 : 0);
    }
    reachable.set(status.isBeaconAway ? 0 : 1);
    rewritten.set(status.rewriting === null ? 0 : 1);
    if (status.lastSyncAt !== null) syncAge.set(secondsAgo(status.lastSyncAt));
    const { oldestAcceptedAt } = status.queue;
    pending.set(status.pending);
    inFlight.set(status.queue.inFlight);
    oldest.set(oldestAcceptedAt === null ? 0 : secondsAgo(oldestAcceptedAt));
    assets.set(status.assets);
    transactions.set(status.transactions);
    faults.set(status.faults.length);
  };
}

function makeRowGauges(registry: Registry): Look {
  const make = (name: string, help: string): Gauge => gauge(registry, `aibot_${name}`, help);
  const open = make('settlements_open', 'Settlements that are neither settled nor voided');
  const oldest = make('settlements_oldest_open_age_seconds', 'Age of the oldest; 0 for none');
  const holds = make('holds_open', 'Holds of coins in escrow');
  const reservations = make('reservations', 'Assets that a settlement or a trade has claimed');
  return async ({ database }) => {
    const rows = await database.read(async ({ settlements, ledger }) => ({
      prepared: await settlements.listPrepared(),
      holds: await ledger.listOpenHolds(),
      reservations: await settlements.listReservations(),
    }));
    const [first] = rows.prepared;
    open.set(rows.prepared.length);
    oldest.set(first === undefined ? 0 : secondsAgo(first.createdAt));
    holds.set(rows.holds.length);
    reservations.set(rows.reservations.length);
  };
}

function makeFileGauges(registry: Registry): Look {
  const make = (name: string, help: string): Gauge => gauge(registry, `aibot_${name}`, help);
  const state = make('database_bytes', 'Size of the database');
  const wal = make('database_wal_bytes', 'Size of its write-ahead log');
  const free = make('data_free_bytes', 'Free space on the disk of the data directory');
  const journal = make('recovery_journal_bytes', 'Size of the recovery journal');
  const writable = make(
    'recovery_journal_writable',
    '0 once a write to it failed, until one succeeds',
  );
  return async ({ stateFile, recovery }) => {
    state.set(await sizeOf(stateFile));
    wal.set(await sizeOf(`${stateFile}-wal`));
    const disk = await statfs(dirname(stateFile));
    free.set(disk.bavail * disk.bsize);
    if (recovery === undefined) {
      // An alert on what is not there would be a false one.
      journal.remove();
      writable.remove();
      return;
    }
    journal.set(await sizeOf(recovery.file));
    writable.set(recovery.isWritable ? 1 : 0);
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

function makeEdgeGauges(registry: Registry): Look {
  const connected = gauge(
    registry,
    'aibot_discord_connected',
    '1 while the gateway is connected; always 0 without a bot',
  );
  return ({ isOnDiscord }) => {
    connected.set(isOnDiscord?.() === true ? 1 : 0);
    return Promise.resolve();
  };
}
