// Keeps custody level with the chain: takes over what can be moved, lets go of what others moved, hands over what is owed.
import type { NfgtNode } from '../chain/node.ts';
import type { Clock } from '../shared/clock.ts';
import type { AssetId } from '../shared/ids.ts';
import type { RecoveryEntry } from '../vault/recovery-entry.ts';
import type { Vault } from '../vault/vault.ts';
import type { SettlementView } from './app.ts';
import type { Catalogue } from './catalogue.ts';
import type { OwnerIds } from './owner-ids.ts';
import { recoverCustody } from './recover-custody.ts';
import { makeRedeliver, type RedeliverParts } from './redeliver.ts';
import { startTimer, unwaited } from './timers.ts';

/** How often that is tried again which could not be done at once. */
const RETRY_INTERVAL_MS = 5_000;

interface FollowParts extends RedeliverParts {
  readonly node: NfgtNode;
  readonly vault: Vault;
  readonly catalogue: Catalogue;
  readonly ownerIds: OwnerIds;
  readonly clock: Clock;
}

export class ChainFollower {
  readonly #parts: FollowParts;
  readonly #redeliver: () => Promise<void>;
  readonly #stops: readonly (() => void)[];
  /** Moved by somebody else, as far as was heard; the rows may not know yet. */
  readonly #moved = new Set<AssetId>();
  /** What the recovery journal held at the start; undefined once the vault has all of it. */
  #entries: readonly RecoveryEntry[] | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** True while a look at what was heard waits for its turn. */
  #isDue = false;
  #isClosed = false;

  /** Listens from now on, so that nothing that a stranger does before the first look is missed. */
  constructor(parts: FollowParts) {
    const { node, settlements, logger } = parts;
    this.#parts = parts;
    this.#redeliver = makeRedeliver(parts, () => this.#isClosed);
    this.#stops = [
      node.on('transaction-committed', ({ transaction, foreign }) => {
        if (foreign) this.#hear([transaction.assetId]);
      }),
      settlements.onEnded((ended) => this.#hear(this.#listMovedOn(ended))),
      startTimer(logger, 'custody', RETRY_INTERVAL_MS, () => this.#lookSoon()),
    ];
  }

  /** Looks at everything in custody. */
  followAll(entries?: readonly RecoveryEntry[]): Promise<void> {
    if (entries !== undefined) this.#entries = entries;
    return this.#inTurn(async () => {
      await this.#takeRecovered();
      await this.#parts.custody.followReturned();
      await this.#parts.custody.releaseForeign();
      await this.#redeliver();
    });
  }

  /** Stops listening, and resolves when the look under way is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    await this.#turn;
  }

  #hear(assetIds: readonly AssetId[]): void {
    if (assetIds.length === 0) return;
    for (const assetId of assetIds) this.#moved.add(assetId);
    if (!this.#isDue) unwaited(this.#parts.logger, 'custody', () => this.#lookSoon());
  }

  /** A settlement may come to its end after a stranger has moved on what it brought. */
  #listMovedOn({ handOvers }: SettlementView): readonly AssetId[] {
    const { chain } = this.#parts.node;
    return handOvers.flatMap(({ assetId, transactionId }) => {
      const tip = chain.findTip(assetId);
      return tip === undefined || tip.transactionId === transactionId ? [] : [assetId];
    });
  }

  #lookSoon(): Promise<void> {
    this.#isDue = true;
    return this.#inTurn(async () => {
      this.#isDue = false;
      await this.#followMoved();
      await this.#redeliver();
    });
  }

  async #followMoved(): Promise<void> {
    const assetIds = [...this.#moved];
    if (assetIds.length === 0) return;
    // Before the look: what is heard meanwhile is looked at again.
    this.#moved.clear();
    try {
      await this.#parts.custody.followReturned(assetIds);
      await this.#parts.custody.releaseForeign(assetIds);
    } catch (error) {
      for (const assetId of assetIds) this.#moved.add(assetId);
      throw error;
    }
  }

  async #takeRecovered(): Promise<void> {
    const { node, catalogue, ownerIds } = this.#parts;
    if (this.#entries === undefined) return;
    const botOwnerId = ownerIds.ownerIdOf('bot');
    const { moving } = await recoverCustody({
      ...this.#parts,
      entries: this.#entries,
      chain: node.chain,
      isOurs: (assetId, ownerId) => ownerId === botOwnerId || catalogue.find(assetId) !== undefined,
    });
    // Once all is level, everything that the bot makes is in its vault.
    if (moving.length === 0) this.#entries = undefined;
  }

  /** One look after the other. */
  #inTurn(look: () => Promise<void>): Promise<void> {
    const looked = this.#turn.then(look);
    this.#turn = looked.catch(() => undefined);
    return looked;
  }
}
