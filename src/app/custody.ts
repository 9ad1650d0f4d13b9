// Custody: turns "this holder gives that asset to that member" into a checked hand-over, and notices foreign ones.
import type { IndexedTransaction } from '../chain/chain-index.ts';
import type { JournalEntry } from '../chain/journal-store.ts';
import type { NfgtNode, TransactionDraft } from '../chain/node.ts';
import { predecessorProof } from '../chain/proofs.ts';
import { parseRecord } from '../chain/record.ts';
import { answersHash, isPlainHash } from '../chain/succession.ts';
import { AppError } from '../shared/errors.ts';
import type { AssetId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { Vault } from '../vault/vault.ts';
import type { Person } from './app.ts';
import type { OwnerIds } from './owner-ids.ts';
import type { Database, Stores } from './ports/database.ts';
import type { HandOver, Holder } from './ports/settlement-store.ts';
import type { WantedHandOver } from './settlements.ts';
import { findTipKey } from './tip-key.ts';

export interface CustodyOptions {
  readonly database: Database;
  readonly node: NfgtNode;
  readonly vault: Vault;
  readonly ownerIds: OwnerIds;
  readonly logger: Logger;
}

/** An asset on its way to a new holder; `person` is undefined for the bot itself. */
export interface Delivery {
  readonly assetId: AssetId;
  /** Null for a mint. */
  readonly from: Holder | null;
  readonly to: Holder;
  readonly person: Person | undefined;
  /** What the new owner paid, for the record's metadata. */
  readonly costGc: number;
}

export interface PlannedDeliveries {
  readonly drafts: readonly TransactionDraft[];
  readonly handOvers: readonly WantedHandOver[];
}

export class Custody {
  readonly #options: CustodyOptions;

  constructor(options: CustodyOptions) {
    this.#options = options;
  }

  /**
   * Drafts the transactions of these deliveries, with the passphrases that the vault keeps.
   * @throws AppError ASSET_FROZEN, ASSET_NOT_YOURS, PASSPHRASE_NOT_HELD, VAULT_SEAL_BROKEN
   */
  async plan(deliveries: readonly Delivery[]): Promise<PlannedDeliveries> {
    const { database, ownerIds } = this.#options;
    return await database.read(async (stores) => {
      const drafts: TransactionDraft[] = [];
      const handOvers: WantedHandOver[] = [];
      for (const { assetId, from, to, person, costGc } of deliveries) {
        const toOwnerId = ownerIds.ownerIdOf(to);
        handOvers.push({ assetId, from, to, toOwnerId });
        drafts.push({
          assetId,
          ownerId: toOwnerId,
          metadata: { ai_asset_id: assetId, gc_cost: costGc, ...ownerIds.describe(person) },
          predecessorPassphrase:
            from === null ? undefined : await this.#openPassphrase(stores, assetId, from),
          transactionId: undefined,
        });
      }
      return { drafts, handOvers };
    });
  }

  async #openPassphrase(stores: Stores, assetId: AssetId, from: Holder): Promise<string> {
    await this.assertHolder(stores, assetId, from);
    const entry = await stores.vault.findCurrent(assetId);
    if (entry === undefined) throw new AppError('PASSPHRASE_NOT_HELD', { assetId });
    return this.#options.vault.open(entry.sealed, { assetId, transactionId: entry.transactionId });
  }

  /** @throws AppError ASSET_FROZEN when a restore lost its passphrase, ASSET_NOT_YOURS unless this holder has the asset in custody. */
  async assertHolder(stores: Stores, assetId: AssetId, holder: Holder): Promise<void> {
    const holding = await stores.settlements.findHolding(assetId);
    if (holding === undefined && (await stores.restores.findLost(assetId)) !== undefined) {
      throw new AppError('ASSET_FROZEN', { assetId });
    }
    if (holding?.holder !== holder) throw new AppError('ASSET_NOT_YOURS', { assetId });
  }

  /**
   * Checks and remembers, inside the settlement's database transaction, what `plan` relied on.
   * @throws AppError those of `assertHolder`, NOT_MINTABLE for what somebody else owns though the chain has lost it.
   */
  async confirm(stores: Stores, deliveries: readonly Delivery[]): Promise<void> {
    for (const { assetId, from, to } of deliveries) {
      if (from !== null) await this.assertHolder(stores, assetId, from);
      else await assertNotOwed(stores, assetId, to);
      if (to !== 'bot') {
        await stores.settlements.putOwner(this.#options.ownerIds.ownerIdOf(to), to);
      }
    }
  }

  /**
   * Lets go of assets that someone else moved on the chain: their passphrase in the vault is worth nothing any more.
   * Called at start and before every audit for all, and at every foreign transaction for one.
   * @returns the assets let go.
   */
  async releaseForeign(assetIds?: readonly AssetId[]): Promise<readonly AssetId[]> {
    const { database, node, logger } = this.#options;
    const ids = assetIds ?? (await this.#listMoved());
    if (ids.length === 0) return [];
    const released = await database.transaction(async (stores) => {
      const gone: AssetId[] = [];
      for (const assetId of ids) {
        const tip = node.chain.findTip(assetId);
        if (tip !== undefined && (await this.#isForeign(stores, tip))) {
          await stores.vault.retire(assetId);
          await stores.settlements.removeHolding(assetId);
          gone.push(assetId);
        }
      }
      return gone;
    });
    for (const assetId of released) {
      logger.warn({ assetId }, 'an asset left custody: someone else moved it on the chain');
    }
    return released;
  }

  /**
   * Follows the chain where it has, as the newest of an asset, a transaction of ours that was given up: a commit that a
   * dying remote kept counts as soon as anybody sets its tag. Its passphrase is in the vault, and the asset is whose the
   * transaction says. What is owed since a rewriting that was accepted is followed by whoever hands it over.
   */
  async followReturned(assetIds?: readonly AssetId[]): Promise<void> {
    const { logger } = this.#options;
    for (const assetId of assetIds ?? (await this.#listReturned())) {
      try {
        const isFollowed = await this.followTip(assetId, (stores, tip) =>
          this.#holderByReturned(stores, tip),
        );
        if (!isFollowed) continue;
        logger.error(
          { assetId },
          'a transaction that was given up is on the chain; it is followed',
        );
      } catch (err) {
        // One row that does not open holds up the custody of no other asset.
        logger.error({ err, assetId }, 'a transaction that was given up cannot be followed');
      }
    }
  }

  /**
   * Has the rows go by the asset's newest transaction on the chain, when that is ours and they do not yet.
   * @param holderOf whose the asset is by it, undefined when it is not to be followed; asked again as the rows are written.
   * @returns whether they follow it now, and did not before.
   */
  async followTip(
    assetId: AssetId,
    holderOf: (stores: Stores, tip: IndexedTransaction) => Promise<Holder | undefined>,
  ): Promise<boolean> {
    const { database, node, vault } = this.#options;
    const tip = node.chain.findTip(assetId);
    if (tip === undefined) return false;
    const { transactionId, ownerId, transactionTime } = tip;
    const findHolder = async (stores: Stores): Promise<Holder | undefined> => {
      const holding = await stores.settlements.findHolding(assetId);
      if (holding?.transactionId === transactionId) return undefined;
      const reservation = await stores.settlements.findReservation(assetId);
      return reservation?.by.kind === 'settlement' ? undefined : await holderOf(stores, tip);
    };
    if ((await database.read(findHolder)) === undefined) return false;
    const key = await findTipKey({ database, vault, recoveryEntries: [] }, tip);
    if (key?.entry.custody !== 'bot') return false;
    return await database.transaction(async (stores) => {
      // The chain and the rows may both have gone on since the look.
      if (node.chain.findTip(assetId)?.transactionId !== transactionId) return false;
      const holder = await findHolder(stores);
      if (holder === undefined) return false;
      const before = await stores.settlements.findHolding(assetId);
      const obtainedAt = before?.holder === holder ? before.obtainedAt : transactionTime;
      await stores.vault.takeBack(transactionId);
      await stores.settlements.putHolding({ assetId, holder, ownerId, transactionId, obtainedAt });
      await stores.restores.removeLost(assetId);
      return true;
    });
  }

  /** Whose an asset is by a tip that was given up; undefined for any other tip. */
  async #holderByReturned(stores: Stores, tip: IndexedTransaction): Promise<Holder | undefined> {
    const { journal, redeliveries } = stores;
    const entry = await journal.findEntry(tip.transactionId);
    if (entry?.state !== 'rejected' || entry.reason === 'TRANSACTION_LOST') return undefined;
    if ((await redeliveries.findRedelivery(tip.assetId)) !== undefined) return undefined;
    const handOver = await findHandOver(stores, entry);
    return (await this.#isMadeFor(stores, { entry, handOver }, tip)) ? handOver?.to : undefined;
  }

  /**
   * True when the chain has this very record of ours, where it was made for: a mint at the beginning, and a hand-over after
   * the transaction whose passphrase its proof names. Whoever may push can set a record of ours once more on top of
   * what came later.
   */
  async #isMadeFor(
    { vault: entries }: Stores,
    { entry, handOver }: { readonly entry: JournalEntry; readonly handOver: HandOver | undefined },
    tip: IndexedTransaction,
  ): Promise<boolean> {
    const { node, vault } = this.#options;
    const record = parseRecord(tip.record);
    if (!entry.record.equals(tip.record) || 'fault' in record) return false;
    const { transactionId, predecessorProof: proof } = record;
    if (handOver?.from === null) return tip.position === 1;
    // A node without a sealer proves nothing, and nothing more can be said.
    if (proof === undefined) return true;
    const [, before] = node.chain.listAssetHistory(tip.assetId, 2);
    const key = before && (await entries.findEntry(before.transactionId));
    if (key === undefined) return false;
    return predecessorProof(transactionId, vault.open(key.sealed, key)) === proof;
  }

  /** Assets whose newest transaction was given up. */
  async #listReturned(): Promise<readonly AssetId[]> {
    const { database, node } = this.#options;
    const rejected = await database.read(({ journal }) => journal.listRejected());
    const isTip = ({ assetId, transactionId }: (typeof rejected)[number]): boolean =>
      node.chain.findTip(assetId)?.transactionId === transactionId;
    return rejected.filter(isTip).map(({ assetId }) => assetId);
  }

  /** Assets in custody whose newest transaction is not the one that the rows know. */
  async #listMoved(): Promise<readonly AssetId[]> {
    const { database, node } = this.#options;
    const holdings = await database.read(({ settlements }) => settlements.listAllHoldings());
    const moved = holdings.filter(({ assetId, transactionId }) => {
      const tip = node.chain.findTip(assetId);
      return tip !== undefined && tip.transactionId !== transactionId;
    });
    return moved.map(({ assetId }) => assetId);
  }

  /**
   * True when the asset is in custody but its newest transaction was not made with a passphrase from our vault. It must
   * follow ours: a chain that has lost ours was not moved on but rewritten, and that takes nothing out of custody.
   */
  async #isForeign(stores: Stores, tip: IndexedTransaction): Promise<boolean> {
    const holding = await stores.settlements.findHolding(tip.assetId);
    if (holding === undefined || holding.transactionId === tip.transactionId) return false;
    const { chain } = this.#options.node;
    if (chain.findTransaction(holding.transactionId)?.assetId !== tip.assetId) return false;
    const key = await stores.vault.findEntry(tip.transactionId);
    if (key === undefined) return true;
    // Ours by its id alone: a stranger may have taken the id of a transaction of ours that came to nothing.
    const entry = await stores.journal.findEntry(tip.transactionId);
    if (entry !== undefined) {
      const handOver = await findHandOver(stores, entry);
      return !(await this.#isMadeFor(stores, { entry, handOver }, tip));
    }
    // A restored journal may lack it. What the bot makes is kept by a hash that takes no time to check.
    if (!isPlainHash(tip.successorHash)) return true;
    return !(await answersHash(this.#options.vault.open(key.sealed, key), tip.successorHash));
  }
}

/** What the movement that a journal entry belongs to said of its asset; undefined for what a caller of the API moved. */
async function findHandOver(
  { settlements }: Stores,
  { groupId, transactionId }: JournalEntry,
): Promise<HandOver | undefined> {
  const settlement = await settlements.findSettlement(groupId);
  return settlement?.handOvers.find((each) => each.transactionId === transactionId);
}

/**
 * What the chain has lost of somebody is not minted by anybody else, and not moved by a caller of the API before it has
 * been handed over anew: the passphrase of its newest transaction may be public.
 * @param to undefined for a caller of the API.
 * @throws AppError NOT_MINTABLE, ASSET_BUSY
 */
export async function assertNotOwed(
  { redeliveries }: Stores,
  assetId: AssetId,
  to: Holder | undefined,
): Promise<void> {
  const owed = await redeliveries.findRedelivery(assetId);
  if (owed === undefined || owed.holder === to) return;
  if (owed.tipTransactionId === null) throw new AppError('NOT_MINTABLE', { assetId });
  if (to === undefined) throw new AppError('ASSET_BUSY', { assetId });
}
