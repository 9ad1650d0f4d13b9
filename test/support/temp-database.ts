// Databases for tests: in a file and in memory, empty and closed after the test, and the rows that others refer to.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Database, Stores } from '../../src/app/ports/database.ts';
import type { HandOver, SettlementKind } from '../../src/app/ports/settlement-store.ts';
import { openDatabase } from '../../src/db/open-database.ts';
import { guyaCoin } from '../../src/shared/guya-coin.ts';
import { payFromBank } from '../../src/ledger/posting.ts';
import { memberAccount } from '../../src/ledger/ledger-store.ts';
import type {
  AssetId,
  HoldId,
  IdempotencyKey,
  MemberId,
  OwnerId,
  SettlementId,
  TradeId,
  TransactionId,
} from '../../src/shared/ids.ts';
import { beforeRemoval, tempDir } from './temp-dir.ts';

/** Makes an empty database that is closed after the test. */
export type OpenTestDatabase = () => Promise<Database>;

/** Where databases live; whatever holds for one must hold for the other. */
export const DATABASES: readonly { readonly where: string; readonly open: OpenTestDatabase }[] = [
  { where: 'a file', open: () => openTestDatabase(join(tempDir(), 'state.db')) },
  { where: 'memory', open: () => openTestDatabase(':memory:') },
];

/** Opens this file's database until the test ends. */
export async function openTestDatabase(file: string): Promise<Database> {
  const database = await openDatabase({ file });
  beforeRemoval(() => database.close());
  return database;
}

export const newSettlementId = (): SettlementId => randomUUID() as SettlementId;
export const newTransactionId = (): TransactionId => randomUUID() as TransactionId;
export const newHoldId = (): HoldId => randomUUID() as HoldId;
export const newAssetId = (): AssetId => `asset-${randomUUID()}` as AssetId;
export const newTradeId = (): TradeId => randomUUID().slice(0, 8) as TradeId;
export const newKey = (): IdempotencyKey => `interaction:${randomUUID()}` as IdempotencyKey;
export const memberId = (number: number): MemberId => String(1_000 + number) as MemberId;
export const ownerIdOf = (member: MemberId): OwnerId => `owner-${member}` as OwnerId;

/** A hand-over of a new asset by a mint; every part can be set. */
export function makeHandOver(given: Partial<HandOver> = {}): HandOver {
  const to = given.to ?? memberId(1);
  return {
    transactionId: newTransactionId(),
    assetId: newAssetId(),
    from: null,
    to,
    toOwnerId: `owner-${to}` as OwnerId,
    ...given,
  };
}

/** Writes a prepared settlement with an empty plan, for rows that must belong to one. */
export async function prepareSettlement(
  stores: Stores,
  given: {
    readonly settlementId?: SettlementId;
    readonly key?: IdempotencyKey;
    readonly kind?: SettlementKind;
    readonly handOvers?: readonly HandOver[];
    readonly createdAt?: number;
  } = {},
): Promise<SettlementId> {
  const settlementId = given.settlementId ?? newSettlementId();
  await stores.settlements.insertSettlement({
    settlementId,
    key: given.key ?? newKey(),
    kind: given.kind ?? 'roll',
    handOvers: given.handOvers ?? [],
    createdAt: given.createdAt ?? 1,
  });
  const effects = { captures: [], payouts: [], cards: [], tradeId: null };
  await stores.settlements.setPlan(settlementId, { effects, answer: 'null' });
  return settlementId;
}

/** Gives a member coins of the bank, in a settlement of its own. */
export async function giveCoins(stores: Stores, to: MemberId, amountGc: number): Promise<void> {
  const settlementId = await prepareSettlement(stores, { kind: 'daily' });
  await payFromBank(stores.ledger, {
    creditAccount: memberAccount(to),
    amountGc: guyaCoin(amountGc),
    code: 'daily',
    settlementId,
    position: 0,
    at: 1,
  });
  await stores.settlements.resolveSettlement(settlementId, {
    state: 'settled',
    reason: null,
    at: 1,
  });
}
