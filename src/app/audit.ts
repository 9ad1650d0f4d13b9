// The audit: the invariants that must hold at every moment, checked against the rows and the chain.
import { setTimeout as delay } from 'node:timers/promises';
import type { ChainReader } from '../chain/node.ts';
import { answersHash } from '../chain/succession.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import type { AssetId } from '../shared/ids.ts';
import type { VaultEntry } from '../vault/vault-store.ts';
import type { Vault } from '../vault/vault.ts';
import type { AuditFinding, AuditReport } from './app.ts';
import type { Database, Stores } from './ports/database.ts';
import type { LostAsset } from './ports/restore-store.ts';
import type { Holding } from './ports/settlement-store.ts';

export interface AuditOptions {
  readonly database: Database;
  readonly chain: Pick<ChainReader, 'findTip'>;
  /** Brings `chain` up to the beacon, after the rows were read: rows are never ahead of the chain. */
  readonly refresh: () => Promise<void>;
  readonly vault: Vault;
  readonly clock: Clock;
}

/** A movement may end between two reads; what is really off is still off a moment later. */
const SECOND_LOOK_MS = 500;

/** Checks every invariant; an empty list of findings is a clean audit. Reads only. */
export async function runAudit(options: AuditOptions): Promise<AuditReport> {
  const first = await lookOnce(options);
  if (first.findings.length === 0) return first;
  await delay(SECOND_LOOK_MS);
  const second = await lookOnce(options);
  const before = new Set(first.findings.map(({ detail }) => detail));
  return { ...second, findings: second.findings.filter(({ detail }) => before.has(detail)) };
}

interface Custodies {
  readonly holdings: readonly Holding[];
  readonly current: readonly VaultEntry[];
  /** Assets whose settlement is under way: their chain may be ahead of their rows. */
  readonly moving: ReadonlySet<AssetId>;
}

async function lookOnce({
  database,
  chain,
  refresh,
  vault,
  clock,
}: AuditOptions): Promise<AuditReport> {
  const { ledger, claims, lost, custodies, counts } = await database.read(async (stores) => ({
    ledger: await stores.ledger.audit(),
    claims: await checkClaims(stores),
    lost: (await stores.restores.listLost()).map(describeLost),
    custodies: await readCustodies(stores),
    counts: {
      openSettlements: (await stores.settlements.listPrepared()).length,
      openHolds: (await stores.ledger.listOpenHolds()).length,
      reservations: (await stores.settlements.listReservations()).length,
      pendingTransactions: await stores.journal.countPending(),
    },
  }));
  await refresh();
  const suspects = await checkCustody(custodies, chain, vault);
  const custody = suspects.length === 0 ? [] : await keepUnmoved(database, custodies, suspects);
  return {
    findings: [
      ...finding('ledger', ledger),
      ...claims,
      ...findingOfAssets('custody', custody),
      ...findingOfAssets('recovery', lost),
    ],
    counts: { ...counts, assetsInCustody: custodies.holdings.length },
    at: clock.now(),
  };
}

function finding(invariant: string, details: readonly string[]): AuditFinding[] {
  return details.map((detail) => ({ invariant, detail }));
}

function findingOfAssets(invariant: string, suspects: readonly Suspect[]): AuditFinding[] {
  return suspects.map(({ assetId, detail }) => ({ invariant, detail, assetId }));
}

function describeLost({ assetId, transactionId }: LostAsset): Suspect {
  const detail =
    `${assetId} is frozen: the passphrase of its newest transaction ${transactionId} was made after the restored ` +
    'backup and is not in the recovery journal; stop the bot, put the newest recovery journal in place, start again';
  return { assetId, detail };
}

/** Every hold and every reservation belongs to something that is still open. */
async function checkClaims(stores: Stores): Promise<readonly AuditFinding[]> {
  const open = new Set(
    (await stores.settlements.listPrepared()).map(({ settlementId }) => settlementId),
  );
  const holds = (await stores.ledger.listOpenHolds())
    .filter(({ settlementId }) => !open.has(settlementId))
    .map(({ holdId }) => `hold ${holdId} belongs to no open settlement`);
  const reservations: Suspect[] = [];
  for (const { assetId, by } of await stores.settlements.listReservations()) {
    const isOpen =
      by.kind === 'settlement'
        ? open.has(by.settlementId)
        : (await stores.trades.findTrade(by.tradeId))?.state === 'open';
    const detail = `reservation of ${assetId} belongs to nothing that is open`;
    if (!isOpen) reservations.push({ assetId, detail });
  }
  return [...finding('holds', holds), ...findingOfAssets('reservations', reservations)];
}

async function readCustodies(stores: Stores): Promise<Custodies> {
  const reservations = await stores.settlements.listReservations();
  return {
    holdings: await stores.settlements.listAllHoldings(),
    current: (await stores.vault.listCurrent()).filter(({ custody }) => custody === 'bot'),
    moving: new Set(
      reservations.filter(({ by }) => by.kind === 'settlement').map(({ assetId }) => assetId),
    ),
  };
}

/** An asset that something is off with. */
interface Suspect {
  readonly assetId: AssetId;
  readonly detail: string;
}

/** Every asset in custody has exactly one current passphrase, which answers the hash on the chain, and one owner. */
async function checkCustody(
  { holdings, current, moving }: Custodies,
  chain: AuditOptions['chain'],
  vault: Vault,
): Promise<readonly Suspect[]> {
  const suspects: Suspect[] = [];
  const keys = new Map(current.map((entry) => [entry.assetId, entry]));
  const held = new Set(holdings.map(({ assetId }) => assetId));
  for (const holding of holdings) {
    const { assetId } = holding;
    if (moving.has(assetId)) continue;
    const suspect = (detail: string): unknown => suspects.push({ assetId, detail });
    const tip = chain.findTip(assetId);
    const key = keys.get(assetId);
    if (tip === undefined) suspect(`${assetId} is in custody but not on the chain`);
    else if (tip.ownerId !== holding.ownerId || tip.transactionId !== holding.transactionId) {
      suspect(`${assetId} has another owner or transaction on the chain than in the rows`);
    }
    if (key === undefined) suspect(`${assetId} is in custody without a passphrase`);
    else if (tip !== undefined && !(await opens(vault, key, tip.successorHash))) {
      suspect(`the passphrase kept for ${assetId} does not answer the hash on the chain`);
    }
  }
  for (const { assetId } of current) {
    const detail = `a passphrase is kept for ${assetId}, which nobody holds`;
    if (!held.has(assetId)) suspects.push({ assetId, detail });
  }
  return suspects;
}

/** An asset that moved after the rows were read may well look off; what stood still all the while is. */
async function keepUnmoved(
  database: Database,
  { holdings }: Custodies,
  suspects: readonly Suspect[],
): Promise<readonly Suspect[]> {
  const before = new Map(holdings.map(({ assetId, transactionId }) => [assetId, transactionId]));
  return await database.read(async ({ settlements }) => {
    const unmoved: Suspect[] = [];
    for (const suspect of suspects) {
      const { assetId } = suspect;
      const reservation = await settlements.findReservation(assetId);
      const holding = await settlements.findHolding(assetId);
      const stoodStill =
        reservation?.by.kind !== 'settlement' && holding?.transactionId === before.get(assetId);
      if (stoodStill) unmoved.push(suspect);
    }
    return unmoved;
  });
}

async function opens(vault: Vault, key: VaultEntry, successorHash: string): Promise<boolean> {
  const { assetId, transactionId } = key;
  try {
    return await answersHash(vault.open(key.sealed, { assetId, transactionId }), successorHash);
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
