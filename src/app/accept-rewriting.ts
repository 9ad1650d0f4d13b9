// Use case: an operator accepts a rewritten chain; all that follows from it is one database transaction.
import { createHash } from 'node:crypto';
import type { ChainIndex } from '../chain/chain-index.ts';
import type { JournalEntry } from '../chain/journal-store.ts';
import { parseRecord } from '../chain/record.ts';
import type { Rewrite, Witness } from '../chain/rewrites.ts';
import { memberAccount } from '../ledger/ledger-store.ts';
import { payFromBank } from '../ledger/posting.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import type {
  AssetId,
  CommitId,
  OwnerId,
  SettlementId,
  TradeId,
  TransactionId,
} from '../shared/ids.ts';
import type { RecoveryEntry } from '../vault/recovery-entry.ts';
import type { Vault } from '../vault/vault.ts';
import { findTipKey, type TipKey } from './tip-key.ts';
import type { Database, Stores } from './ports/database.ts';
import type { Holder, SettlementKind } from './ports/settlement-store.ts';
import { settleWithin, stands } from './settlements.ts';

/** The chain as far as this use case reads it. */
type KnownChain = Pick<
  ChainIndex,
  'findTip' | 'findTransaction' | 'listAssetHistory' | 'findBranchCommit'
>;

export interface AcceptRewritingOptions {
  readonly database: Database;
  readonly vault: Vault;
  /** What the recovery journal holds. */
  readonly recoveryEntries: readonly RecoveryEntry[];
  /** The refs that were rewritten; none of them is the epoch branch. */
  readonly rewrites: readonly Rewrite[];
  /** The chain as the node knew it. */
  readonly before: KnownChain;
  /** The chain as the node will read it once the rewriting is accepted. */
  readonly after: KnownChain;
  /** True for an asset whose branch stands on something that nothing can be minted on. */
  readonly isOccupied: (assetId: AssetId) => boolean;
  readonly botOwnerId: OwnerId;
  readonly clock: Clock;
  /** Of the acceptance that was shown; undefined to show one and change nothing. */
  readonly digest: string | undefined;
}

/** A transaction that the chain has no more. */
export interface LostTransaction {
  readonly transactionId: TransactionId;
  readonly assetId: AssetId;
  /** True when this node's journal has it. */
  readonly isOwn: boolean;
  /** What it was a part of; null for what others wrote, or a program without a bot. */
  readonly movement: {
    readonly settlementId: SettlementId;
    readonly kind: SettlementKind;
    readonly tradeId: TradeId | null;
    readonly from: Holder | null;
    readonly to: Holder | null;
  } | null;
}

/**
 * What becomes of an asset whose chain was rewritten.
 * - `unchanged`: only its history lost something; who owns it and what moves it is as before.
 * - `handed-over-anew`: the vault has what moves it from where the chain now stands; the bot hands it to its holder again.
 * - `minted-anew`: the chain has nothing of it; the bot mints it to its holder again.
 * - `let-go`: it leaves custody, for `reason`.
 * - `outside`: it is not in custody, neither before nor after.
 */
type AssetOutcome = 'unchanged' | 'handed-over-anew' | 'minted-anew' | 'let-go' | 'outside';

/**
 * `foreign`: the chain names an owner that is nobody here. `no-passphrase`: it names one of ours, but neither the vault
 * nor the recovery journal has what moves it. `caller`: a caller of the API keeps that. `occupied`: its branch stands on what
 * is no chain.
 */
export type LetGoReason = 'foreign' | 'no-passphrase' | 'caller' | 'occupied';

export interface AssetVerdict {
  readonly assetId: AssetId;
  readonly outcome: AssetOutcome;
  /** Null unless the outcome is `let-go`. */
  readonly reason: LetGoReason | null;
  /** Whose it is, or was when it is let go; null when it is not in custody. */
  readonly holder: Holder | null;
  /** Where the chain stands from now on; all null when it has nothing of the asset. */
  readonly branchCommit: CommitId | null;
  readonly tipTransactionId: TransactionId | null;
  readonly ownerId: OwnerId | null;
  /** The passphrase that moves it was presented before, and may be public: the bot is to be quick. */
  readonly isExposed: boolean;
  /** What the bank gives back for the roll that won it; null for nothing. */
  readonly refund: Refund | null;
}

/** The price of a draw whose prize the house can no longer stand by. */
interface Refund {
  readonly settlementId: SettlementId;
  readonly amountGc: number;
}

/** A movement under way that can never reach the chain any more: it is voided, and its coins go back. */
interface EndedGroup {
  readonly groupId: SettlementId;
  readonly kind: SettlementKind | null;
  readonly assetIds: readonly AssetId[];
}

/** All that is given up and all that follows. */
export interface Acceptance {
  /** Of everything below and the refs: what is confirmed is what was shown. */
  readonly digest: string;
  readonly isAccepted: boolean;
  readonly lost: readonly LostTransaction[];
  readonly assets: readonly AssetVerdict[];
  readonly ended: readonly EndedGroup[];
}

type Decision = Pick<Acceptance, 'lost' | 'assets' | 'ended'>;

/** The position of a refund among the payments of its settlement, clear of prices and payouts. */
const REFUND_POSITION = 1_000;

/** Ends the transaction that only looked: nothing of what it wrote stays. */
class OnlyShown extends Error {
  readonly acceptance: Acceptance;

  constructor(acceptance: Acceptance) {
    super('only shown');
    this.acceptance = acceptance;
  }
}

/**
 * Shows what accepting a rewriting gives up, or with its digest accepts it: all in one database transaction. The index
 * follows afterwards, see `followAccepted`.
 * @throws AppError REWRITES_CHANGED when the digest stands for something else; then nothing is changed.
 */
export async function acceptRewriting(options: AcceptRewritingOptions): Promise<Acceptance> {
  const { database, rewrites, digest: confirmed, clock } = options;
  const keys = await findKeys(options);
  const at = clock.now();
  try {
    return await database.transaction(async (stores) => {
      await settleCommitted(stores, options.before, at);
      const decision = await decide(stores, options, keys);
      const digest = digestOf(rewrites, decision);
      if (confirmed === undefined) throw new OnlyShown({ digest, isAccepted: false, ...decision });
      if (confirmed !== digest) throw new AppError('REWRITES_CHANGED', { digest: confirmed });
      await carryOut(stores, { ...decision, digest, keys, at });
      return { digest, isAccepted: true, ...decision };
    });
  } catch (error) {
    if (error instanceof OnlyShown) return error.acceptance;
    throw error;
  }
}

/** 128 bits in hex: of what is shown, in one order. */
export function digestOf(rewrites: readonly Rewrite[], decision: object): string {
  const refs = rewrites
    .map(({ kind, name, expected, found }) => [kind, name, expected ?? null, found ?? null])
    .sort((a, b) => (String(a) < String(b) ? -1 : 1));
  const text = JSON.stringify({ refs, ...decision });
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** The assets that are concerned, each once, in order. */
export function concernedAssets(rewrites: readonly Rewrite[]): readonly AssetId[] {
  return [...new Set(rewrites.flatMap(({ assetId }) => assetId ?? []))].sort();
}

/** What moves each asset from where its chain now stands. */
async function findKeys(options: AcceptRewritingOptions): Promise<ReadonlyMap<AssetId, TipKey>> {
  const keys = new Map<AssetId, TipKey>();
  for (const assetId of concernedAssets(options.rewrites)) {
    const tip = options.after.findTip(assetId);
    const key = tip && (await findTipKey(options, tip));
    if (key !== undefined) keys.set(assetId, key);
  }
  return keys;
}

/**
 * What was committed before the rewriting is settled first, as the next start would have done it: its coins have moved
 * by right, and only then can it be said what is lost.
 */
async function settleCommitted(stores: Stores, before: KnownChain, at: number): Promise<void> {
  const { journal, settlements } = stores;
  const groups = groupBy(await journal.listPending(), ({ groupId }) => groupId);
  const committed = [...groups].filter(([, entries]) =>
    entries.every((entry) => stands(before, entry)),
  );
  const resolution = { state: 'committed', reason: null, resolvedAt: at } as const;
  await journal.resolveGroups(
    committed.map(([groupId]) => groupId),
    resolution,
  );
  for (const settlement of await settlements.listPrepared()) {
    const entries = await journal.listGroup(settlement.settlementId);
    const isCommitted = entries.length > 0 && entries.every(({ state }) => state === 'committed');
    if (isCommitted) await settleWithin(stores, settlement, at);
  }
}

async function decide(
  stores: Stores,
  options: AcceptRewritingOptions,
  keys: ReadonlyMap<AssetId, TipKey>,
): Promise<Decision> {
  const committed = groupBy(await stores.journal.listCommitted(), ({ assetId }) => assetId);
  const lost: LostTransaction[] = [];
  const assets: AssetVerdict[] = [];
  for (const assetId of concernedAssets(options.rewrites)) {
    const gone = await listLost(stores, options, { assetId, own: committed.get(assetId) ?? [] });
    lost.push(...gone);
    assets.push(await judge(stores, options, { assetId, lost: gone, key: keys.get(assetId) }));
  }
  return { lost, assets, ended: await listEnded(stores, options) };
}

/** Oldest first, those that only the journal knew last. */
async function listLost(
  { journal, settlements }: Stores,
  { before, after }: AcceptRewritingOptions,
  { assetId, own }: { readonly assetId: AssetId; readonly own: readonly Witness[] },
): Promise<readonly LostTransaction[]> {
  const known = before.listAssetHistory(assetId, Number.MAX_SAFE_INTEGER).toReversed();
  const ids = new Set([...known, ...own].map(({ transactionId }) => transactionId));
  const lost: LostTransaction[] = [];
  for (const transactionId of ids) {
    const entry = await journal.findEntry(transactionId);
    const record = entry?.record ?? before.findTransaction(transactionId)?.record;
    if (record === undefined || stands(after, { transactionId, record })) continue;
    const settlement = entry && (await settlements.findSettlement(entry.groupId));
    const handOver = settlement?.handOvers.find((each) => each.transactionId === transactionId);
    const movement = settlement && {
      settlementId: settlement.settlementId,
      kind: settlement.kind,
      tradeId: settlement.effects.tradeId,
      from: handOver?.from ?? null,
      to: handOver?.to ?? null,
    };
    lost.push({
      ...{ transactionId, assetId },
      isOwn: entry !== undefined,
      movement: movement ?? null,
    });
  }
  return lost;
}

interface Case {
  readonly assetId: AssetId;
  readonly lost: readonly LostTransaction[];
  readonly key: TipKey | undefined;
}

async function judge(
  stores: Stores,
  options: AcceptRewritingOptions,
  { assetId, lost, key }: Case,
): Promise<AssetVerdict> {
  const { after, botOwnerId, isOccupied } = options;
  const tip = after.findTip(assetId);
  const holding = await stores.settlements.findHolding(assetId);
  const holder = await findHolder(stores, options, assetId);
  // Who the chain names, when it is one of the house.
  const named = tip && (await findHolderOf(stores, tip.ownerId, botOwnerId));
  const verdict = {
    assetId,
    reason: null,
    holder,
    branchCommit: after.findBranchCommit(assetId) ?? null,
    tipTransactionId: tip?.transactionId ?? null,
    ownerId: tip?.ownerId ?? null,
    isExposed: false,
    refund: null,
  };
  if (key?.entry.custody === 'bot' && (holder ?? named) !== undefined) {
    // A stranger may have copied our transaction, hash and all, for an owner of his own.
    const isSame =
      holding !== undefined &&
      holding.holder === holder &&
      holding.transactionId === tip?.transactionId &&
      holding.ownerId === tip.ownerId;
    const outcome = isSame ? 'unchanged' : 'handed-over-anew';
    const isExposed = !isSame && wasPresented(options, assetId);
    return { ...verdict, outcome, isExposed, holder: holder ?? named ?? null };
  }
  if (holder === null) return { ...verdict, outcome: 'outside' };
  // A branch that is read as a chain takes a mint at its end, after commits that are no transactions.
  if (tip === undefined && (verdict.branchCommit !== null || !isOccupied(assetId))) {
    return { ...verdict, outcome: 'minted-anew' };
  }
  const reason: LetGoReason =
    tip === undefined
      ? 'occupied'
      : key !== undefined
        ? 'caller'
        : named === undefined
          ? 'foreign'
          : 'no-passphrase';
  const won = lost.find(({ transactionId }) => transactionId === holding?.transactionId);
  const refund = await refundOf(stores, won, holder);
  return { ...verdict, outcome: 'let-go', reason, refund };
}

/** Whose it is by the rows, or by the recovery journal when that has the newest transaction and the rows are older. */
async function findHolder(
  { settlements, redeliveries, vault }: Stores,
  { before, after, recoveryEntries }: AcceptRewritingOptions,
  assetId: AssetId,
): Promise<Holder | null> {
  // A restored state comes without an index, and what is held back is not in the new one: then the chain itself tells.
  const newest = (before.findTip(assetId) ?? after.findTip(assetId))?.transactionId;
  if (newest !== undefined && (await vault.findEntry(newest)) === undefined) {
    const entry = recoveryEntries.find(({ transactionId }) => transactionId === newest);
    if (entry !== undefined) return entry.holder;
  }
  const holding = await settlements.findHolding(assetId);
  return holding?.holder ?? (await redeliveries.findRedelivery(assetId))?.holder ?? null;
}

async function findHolderOf(
  { settlements }: Stores,
  ownerId: OwnerId,
  botOwnerId: OwnerId,
): Promise<Holder | undefined> {
  return ownerId === botOwnerId ? 'bot' : await settlements.findMemberOf(ownerId);
}

/** Whether a transaction after the new tip, which is lost now, was made with its passphrase, to be published some day. */
function wasPresented({ before, after }: AcceptRewritingOptions, assetId: AssetId): boolean {
  const history = before.listAssetHistory(assetId, Number.MAX_SAFE_INTEGER).toReversed();
  const tip = after.findTip(assetId);
  const at = history.findIndex(({ transactionId }) => transactionId === tip?.transactionId);
  const next = at === -1 ? undefined : history[at + 1];
  if (next === undefined) return false;
  const record = parseRecord(next.record);
  return !('fault' in record) && record.predecessorProof !== undefined;
}

/** What was paid for the draw, when the transaction that is lost is the one by which the holder won it. */
async function refundOf(
  { journal }: Stores,
  won: LostTransaction | undefined,
  holder: Holder,
): Promise<Refund | null> {
  if (won?.movement?.kind !== 'roll' || won.movement.to !== holder || holder === 'bot') return null;
  const entry = await journal.findEntry(won.transactionId);
  // What was lost before, and came back in between, was given back before.
  if (entry?.state !== 'committed') return null;
  const amountGc = priceIn(entry.record);
  return amountGc === 0 ? null : { settlementId: won.movement.settlementId, amountGc };
}

/** The price in gc that our own record carries. */
function priceIn(bytes: Buffer): number {
  const record = parseRecord(bytes);
  if ('fault' in record) return 0;
  const { metadata } = record;
  const price =
    typeof metadata === 'object' && metadata !== null && 'gc_cost' in metadata
      ? metadata['gc_cost']
      : 0;
  return typeof price === 'number' && Number.isSafeInteger(price) && price > 0 ? price : 0;
}

/** Groups under way whose commits go on from what is lost; what still fits is pushed by the next start. */
async function listEnded(
  { journal, settlements }: Stores,
  { rewrites, before, after }: AcceptRewritingOptions,
): Promise<readonly EndedGroup[]> {
  const concerned = new Set(concernedAssets(rewrites));
  const isCut = ({ assetId, parent }: JournalEntry): boolean => {
    if (!concerned.has(assetId)) return false;
    const isSameTip =
      before.findTip(assetId)?.transactionId === after.findTip(assetId)?.transactionId;
    return !isSameTip || after.findBranchCommit(assetId) !== parent;
  };
  const groups = groupBy(await journal.listPending(), ({ groupId }) => groupId);
  const ended: EndedGroup[] = [];
  for (const [groupId, entries] of groups) {
    if (!entries.some(isCut)) continue;
    const kind = (await settlements.findSettlement(groupId))?.kind ?? null;
    ended.push({ groupId, kind, assetIds: entries.map(({ assetId }) => assetId) });
  }
  return ended;
}

interface Carrying extends Decision {
  readonly digest: string;
  readonly keys: ReadonlyMap<AssetId, TipKey>;
  readonly at: number;
}

async function carryOut(
  stores: Stores,
  { digest, lost, assets, ended, keys, at }: Carrying,
): Promise<void> {
  const { rewritings, journal } = stores;
  const own = lost.filter(({ isOwn }) => isOwn);
  const assetIds = assets.map(({ assetId }) => assetId);
  await rewritings.insertAccepted({ digest, acceptedAt: at, assetIds, lost: own });
  await journal.removeReveals(own.map(({ transactionId }) => transactionId));
  // Recovery voids their settlements from this, as it does for whatever the chain refused.
  const resolution = { state: 'rejected', reason: 'TRANSACTION_LOST', resolvedAt: at } as const;
  await journal.resolveGroups(
    ended.map(({ groupId }) => groupId),
    resolution,
  );
  for (const verdict of assets) {
    await carryOutAsset(stores, verdict, keys.get(verdict.assetId), at);
    await payRefund(stores, verdict, at);
  }
}

async function carryOutAsset(
  stores: Stores,
  { assetId, outcome, holder, tipTransactionId, ownerId }: AssetVerdict,
  key: TipKey | undefined,
  at: number,
): Promise<void> {
  const { vault, settlements, redeliveries } = stores;
  const isKept = outcome === 'unchanged' || outcome === 'handed-over-anew';
  if (key === undefined || (key.entry.custody === 'bot' && !isKept)) await vault.retire(assetId);
  else await takeKey(stores, key);
  const owed = { assetId, tipTransactionId, owedSince: at };
  if (isKept && holder !== null && tipTransactionId !== null && ownerId !== null) {
    const obtainedAt = (await settlements.findHolding(assetId))?.obtainedAt ?? at;
    const holding = { assetId, holder, ownerId, obtainedAt };
    await settlements.putHolding({ ...holding, transactionId: tipTransactionId });
    await stores.restores.removeLost(assetId);
    if (outcome !== 'unchanged') await redeliveries.putRedelivery({ ...owed, holder });
    return;
  }
  await settlements.removeHolding(assetId);
  if (outcome === 'minted-anew' && holder !== null) {
    await redeliveries.putRedelivery({ ...owed, holder });
  } else {
    await redeliveries.removeRedelivery(assetId);
  }
}

/** Makes the key that answers the chain the asset's current one. */
async function takeKey({ vault }: Stores, { entry, isInVault }: TipKey): Promise<void> {
  if (!isInVault) await vault.insertEntry(entry);
  await vault.takeBack(entry.transactionId);
}

async function payRefund(
  { ledger, settlements }: Stores,
  { assetId, holder, refund }: AssetVerdict,
  at: number,
): Promise<void> {
  if (refund === null || holder === null || holder === 'bot') return;
  const { settlementId, amountGc } = refund;
  // Several prizes of one roll have one settlement: each has its own place there.
  const handOvers = (await settlements.findSettlement(settlementId))?.handOvers ?? [];
  const position = REFUND_POSITION + handOvers.findIndex((each) => each.assetId === assetId);
  const creditAccount = memberAccount(holder);
  const code = 'correction';
  await payFromBank(ledger, { creditAccount, amountGc, code, settlementId, position, at });
}

function groupBy<T, Key>(items: readonly T[], keyOf: (item: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
