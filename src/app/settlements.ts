// The settlement: prepares, submits, settles and recovers every movement of value, all of it or nothing.
import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { ChainIndex } from '../chain/chain-index.ts';
import type { JournalEntry } from '../chain/journal-store.ts';
import type { CheckedGroup, GroupOutcome, NfgtNode, TransactionDraft } from '../chain/node.ts';
import { payFromBank } from '../ledger/posting.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError, type ErrorCode } from '../shared/errors.ts';
import type { AssetId, IdempotencyKey, SettlementId, TransactionId } from '../shared/ids.ts';
import { Listeners } from '../shared/listeners.ts';
import type { Logger } from '../shared/logger.ts';
import { measure } from '../shared/measurements.ts';
import type { RecoveryJournal } from '../vault/recovery-journal.ts';
import type { Custody, VaultEntry } from '../vault/vault-store.ts';
import type { Vault } from '../vault/vault.ts';
import type { SettlementView } from './app.ts';
import { Freezes, movesTokens } from './freezes.ts';
import type { Database, Stores } from './ports/database.ts';
import type {
  HandOver,
  Settlement,
  SettlementEffects,
  SettlementKind,
} from './ports/settlement-store.ts';

/** Named points of a settlement's life, in order; the crash tests kill the process at each. */
export const SETTLEMENT_STEPS = [
  'checked',
  'recoverable',
  'prepared',
  'submitted',
  'outcome-known',
  'settled',
  'voided',
] as const;
export type SettlementStep = (typeof SETTLEMENT_STEPS)[number];

/** The most requests that wait for the end of a settlement; more see it as it stands, which is the truth as well. */
const MAX_WAITING_FOR_END = 2_000;

const NO_EFFECTS: SettlementEffects = { captures: [], payouts: [], cards: [], tradeId: null };

/** A hand-over that a use case wants, before it has an id. */
export type WantedHandOver = Omit<HandOver, 'transactionId'>;

/** A group's successor passphrase, ready for its row in the vault. */
type SealedPassphrase = Omit<VaultEntry, 'state'>;

export interface Preparation {
  readonly settlementId: SettlementId;
  /** The transaction that the settlement gave each asset. */
  readonly transactionIds: ReadonlyMap<AssetId, TransactionId>;
  /** ms since the epoch. */
  readonly at: number;
}

/** What a settlement is found by in the log. */
interface LogOrigin {
  readonly interactionId?: string;
  readonly requestId?: string;
  readonly tradeId?: string;
}

/** Who asks for a movement of value, and for which. */
export interface MoveRequest {
  readonly key: IdempotencyKey;
  readonly kind: SettlementKind;
  /** What its lines in the log carry beside what its key says. */
  readonly origin?: LogOrigin;
}

/** What a request comes to. */
export interface MovementPlan<Answer> {
  /** What goes onto the chain. */
  readonly drafts: readonly TransactionDraft[];
  /** What moves within the bot's custody, one for each draft; none for what leaves or never entered it. */
  readonly handOvers: readonly WantedHandOver[];
  /** Who keeps the successor passphrases. */
  readonly custody: Custody;
  /**
   * Runs inside the database transaction that makes the settlement durable, after its row and reservations: checks
   * again what the use case relied on, places holds, and says what happens on commit and what the caller is answered.
   */
  prepare(
    stores: Stores,
    preparation: Preparation,
  ): Promise<{ readonly effects?: Partial<SettlementEffects>; readonly answer: Answer }>;
}

/** One movement of value. */
type Movement<Answer> = MoveRequest & MovementPlan<Answer>;

export interface Moved<Answer> {
  readonly view: SettlementView;
  readonly answer: Answer;
  /** Undefined when the answer is the stored one of a repeated request. */
  readonly group: CheckedGroup | undefined;
}

export interface SettlementsOptions {
  readonly database: Database;
  readonly node: NfgtNode;
  readonly vault: Vault;
  /** Has every successor passphrase before the database has it. */
  readonly recovery: Pick<RecoveryJournal, 'append'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called at each named step; tests stop the process there. */
  readonly atStep?: ((step: SettlementStep, settlementId: SettlementId) => void) | undefined;
}

export class Settlements {
  /** What stands still at present. */
  readonly freezes: Freezes;
  readonly #options: SettlementsOptions;
  readonly #ended: Listeners<SettlementView>;
  readonly #tracked = new Map<SettlementId, Promise<void>>();
  /** Requests that are being carried out. */
  readonly #moving = new Map<
    IdempotencyKey,
    { readonly kind: SettlementKind; readonly moved: Promise<Moved<unknown>> }
  >();
  #waiters = 0;

  constructor(options: SettlementsOptions) {
    this.freezes = new Freezes(options.logger);
    this.#options = options;
    this.#ended = new Listeners(options.logger);
  }

  /**
   * Carries out a movement as far as it is durable; without hand-overs that is to its end. A request that was carried
   * out before gets its stored answer, and one that comes again meanwhile the same answer or the same refusal.
   * @param plan called for a request that is new.
   * @throws AppError of the node, of `plan` and `prepare`, ASSET_RESERVED, FEATURE_FROZEN, KEY_REUSED; then nothing has
   *   changed.
   */
  async move<Answer>(
    request: MoveRequest,
    plan: () => Promise<MovementPlan<Answer>> | MovementPlan<Answer>,
  ): Promise<Moved<Answer>> {
    const { key, kind } = request;
    const running = this.#moving.get(key);
    if (running !== undefined) {
      if (running.kind !== kind) throw new AppError('KEY_REUSED');
      const { view, answer } = await running.moved;
      // SAFETY: the same kind of movement has the same kind of answer.
      return { view, answer: answer as Answer, group: undefined };
    }
    const moved = this.#moveOnce(request, plan).finally(() => this.#moving.delete(key));
    this.#moving.set(key, { kind, moved });
    return await moved;
  }

  async #moveOnce<Answer>(
    request: MoveRequest,
    plan: () => Promise<MovementPlan<Answer>> | MovementPlan<Answer>,
  ): Promise<Moved<Answer>> {
    const earlier = await this.findAnswer<Answer>(request);
    if (earlier !== undefined) return earlier;
    const movement = { ...request, ...(await plan()) };
    this.freezes.refuse(movement);
    const settlementId = uuidv7({ msecs: this.#options.clock.now() }) as SettlementId;
    const origin = { ...originOf(movement.key), ...movement.origin };
    // Coins alone do not need the beacon, and move while it is away.
    const group: CheckedGroup = !movesTokens(movement)
      ? { groupId: settlementId, transactions: [] }
      : await this.#options.node.check(settlementId, movement.drafts);
    this.#step('checked', settlementId);
    const sealed = this.#seal(movement, group);
    await this.#keepRecoverable(movement, sealed);
    this.#step('recoverable', settlementId);
    const { answer, settlement } = await this.#prepare(movement, group, sealed);
    this.#step('prepared', settlementId);
    this.#logPrepared(movement, group, origin);
    if (group.transactions.length > 0) {
      this.#options.node.submit(settlementId);
      this.#step('submitted', settlementId);
      this.#track(settlementId, origin);
    } else {
      this.#tellEnd(settlement, toView(settlement), origin);
    }
    return { view: toView(settlement), answer, group };
  }

  /**
   * The stored answer to a request that was carried out before.
   * @throws AppError KEY_REUSED when the key belongs to another kind of movement.
   */
  async findAnswer<Answer>({ key, kind }: MoveRequest): Promise<Moved<Answer> | undefined> {
    const found = await this.#options.database.read(({ settlements }) =>
      settlements.findByKey(key),
    );
    if (found !== undefined && found.kind !== kind) throw new AppError('KEY_REUSED');
    // SAFETY: the answer was written under this key by the same use case, see `#prepare`.
    return (
      found && {
        view: toView(found),
        answer: JSON.parse(found.answer) as Answer,
        group: undefined,
      }
    );
  }

  async #prepare<Answer>(
    movement: Movement<Answer>,
    group: CheckedGroup,
    sealed: readonly SealedPassphrase[],
  ): Promise<{ readonly answer: Answer; readonly settlement: Settlement }> {
    const { database, node, clock } = this.#options;
    const at = clock.now();
    const settlementId = group.groupId;
    const transactionIds = new Map(
      group.transactions.map(({ record }) => [record.assetId, record.transactionId]),
    );
    return await database.transaction(async (stores) => {
      const handOvers = withTransactionIds(movement.handOvers, transactionIds);
      const { key, kind } = movement;
      const opened = { settlementId, key, kind, handOvers, createdAt: at };
      await stores.settlements.insertSettlement(opened);
      for (const assetId of transactionIds.keys()) {
        await this.#claim(stores, movement, { assetId, settlementId, at });
      }
      const plan = await movement.prepare(stores, { settlementId, transactionIds, at });
      const effects = { ...NO_EFFECTS, ...plan.effects };
      const answer = JSON.stringify(plan.answer);
      await stores.settlements.setPlan(settlementId, { effects, answer });
      // The journal comes first: it is what refuses an id that a caller has used before.
      await node.journal(stores.journal, group);
      for (const entry of sealed) await stores.vault.insertEntry(entry);
      const prepared: Settlement = {
        ...opened,
        effects,
        answer,
        state: 'prepared',
        reason: null,
        resolvedAt: null,
      };
      if (group.transactions.length > 0) return { answer: plan.answer, settlement: prepared };
      await settleWithin(stores, prepared, at);
      return { answer: plan.answer, settlement: { ...prepared, state: 'settled', resolvedAt: at } };
    });
  }

  async #claim(
    stores: Stores,
    movement: Pick<Movement<unknown>, 'kind'>,
    claim: { readonly assetId: AssetId; readonly settlementId: SettlementId; readonly at: number },
  ): Promise<void> {
    // A trade brings its reservations along; `prepare` moves them over.
    if (movement.kind === 'trade') return;
    const { assetId, settlementId, at } = claim;
    await stores.settlements.reserve(assetId, { kind: 'settlement', settlementId }, at);
  }

  #seal(
    { custody }: Pick<Movement<unknown>, 'custody'>,
    { transactions }: CheckedGroup,
  ): readonly SealedPassphrase[] {
    const { vault, clock } = this.#options;
    const createdAt = clock.now();
    return transactions.map(({ record: { assetId, transactionId }, successorPassphrase }) => {
      const sealed = vault.seal(successorPassphrase, { assetId, transactionId });
      return { transactionId, assetId, custody, sealed, createdAt };
    });
  }

  /**
   * Before anything is charged: a passphrase that is in no second place must never reach the chain. What the movement
   * leaves behind there when it is refused afterwards answers no hash, and does no harm.
   * @throws AppError RECOVERY_JOURNAL_UNWRITABLE
   */
  async #keepRecoverable(
    { handOvers }: Pick<Movement<unknown>, 'handOvers'>,
    sealed: readonly SealedPassphrase[],
  ): Promise<void> {
    const holders = new Map(handOvers.map(({ assetId, to }) => [assetId, to]));
    await this.#options.recovery.append(
      sealed.map((entry) => ({ ...entry, holder: holders.get(entry.assetId) ?? null })),
    );
  }

  /** Finishes, from what the chain says, every open settlement that nobody here is finishing. */
  async recover(): Promise<number> {
    const open = await this.#options.database.read(({ settlements }) => settlements.listPrepared());
    for (const { settlementId, kind, key } of open) {
      if (this.#tracked.has(settlementId)) continue;
      const origin = originOf(key);
      this.#options.logger.debug({ settlementId, kind, ...origin }, 'took up an open settlement');
      this.#track(settlementId, origin);
    }
    return open.length;
  }

  #track(settlementId: SettlementId, origin: LogOrigin): void {
    const work = this.#finish(settlementId, origin)
      .catch((error: unknown) => {
        // The rows say what is still open; recovery takes it up again.
        this.#options.logger.error({ err: error, settlementId }, 'a settlement could not be ended');
      })
      .finally(() => this.#tracked.delete(settlementId));
    this.#tracked.set(settlementId, work);
  }

  async #finish(settlementId: SettlementId, origin: LogOrigin): Promise<void> {
    const { database, node, clock } = this.#options;
    const outcome = await node.outcomeOf(settlementId);
    this.#step('outcome-known', settlementId);
    const { settlement, ended } = await database.transaction(async (stores) => {
      const found = await stores.settlements.findSettlement(settlementId);
      if (found === undefined) throw new Error(`settlement ${settlementId} has no row`);
      return { settlement: found, ended: await this.#end(stores, found, outcome, clock.now()) };
    });
    this.#step(ended.state === 'settled' ? 'settled' : 'voided', settlementId);
    this.#tellEnd(settlement, ended, origin);
  }

  async #end(
    stores: Stores,
    settlement: Settlement,
    outcome: GroupOutcome,
    at: number,
  ): Promise<SettlementView> {
    if (settlement.state !== 'prepared') return toView(settlement);
    if (outcome.state === 'committed') {
      await settleWithin(stores, settlement, at);
      return { ...toView(settlement), state: 'settled' };
    }
    await this.#voidWithin(stores, settlement, outcome.reason, at);
    return { ...toView(settlement), state: 'voided', reason: outcome.reason };
  }

  async #voidWithin(
    stores: Stores,
    settlement: Settlement,
    reason: ErrorCode,
    at: number,
  ): Promise<void> {
    const { settlementId, effects } = settlement;
    await stores.settlements.resolveSettlement(settlementId, { state: 'voided', reason, at });
    for (const { holdId } of await stores.ledger.listOpenHolds(settlementId)) {
      await stores.ledger.releaseHold(holdId, { state: 'released', at });
    }
    // A remote that died half-way may have kept a part of a group whose rest is lost. What stands there is true; but a
    // stranger may have taken our id for a record of their own.
    const { chain } = this.#options.node;
    const standing: JournalEntry[] = [];
    for (const entry of await stores.journal.listGroup(settlementId)) {
      if (stands(chain, entry)) standing.push(entry);
      else await stores.vault.discard(entry.transactionId);
    }
    await takeOver(stores, settlement, standing, at);
    await stores.settlements.freeReservations({ kind: 'settlement', settlementId });
    await endTrade(stores, effects, 'failed');
    const assets = standing.map(({ assetId }) => assetId);
    if (assets.length === 0) return;
    this.#options.logger.error({ settlementId, assets }, 'the chain kept a part of a lost group');
  }

  /** The settlement's view once it has ended, or as it stands after `timeoutMs`, or at once when too many wait. */
  async wait(settlementId: SettlementId, timeoutMs: number): Promise<SettlementView> {
    if (this.#waiters >= MAX_WAITING_FOR_END) return await this.#getView(settlementId);
    this.#waiters += 1;
    const giveUp = new AbortController();
    let stopListening = (): void => undefined;
    // Listening begins before the row is read, so that an end in between is not missed.
    const ended = new Promise<void>((resolve) => {
      stopListening = this.onEnded((view) => {
        if (view.settlementId === settlementId) resolve();
      });
    });
    try {
      const view = await this.#getView(settlementId);
      if (view.state !== 'prepared') return view;
      const { signal } = giveUp;
      await Promise.race([ended, delay(timeoutMs, undefined, { signal, ref: false })]);
      return await this.#getView(settlementId);
    } finally {
      this.#waiters -= 1;
      stopListening();
      giveUp.abort();
    }
  }

  async #getView(settlementId: SettlementId): Promise<SettlementView> {
    const found = await this.#options.database.read(({ settlements }) =>
      settlements.findSettlement(settlementId),
    );
    if (found === undefined) throw new Error(`settlement ${settlementId} has no row`);
    return toView(found);
  }

  onEnded(listener: (view: SettlementView) => void): () => void {
    return this.#ended.add(listener);
  }

  /** Waits until nothing is open, or until `patienceMs` are over. */
  async drain(patienceMs: number): Promise<void> {
    const giveUp = new AbortController();
    const { signal } = giveUp;
    await Promise.race([
      Promise.all(this.#tracked.values()),
      delay(patienceMs, undefined, { signal }),
    ]);
    giveUp.abort();
  }

  #logPrepared(
    { kind }: Movement<unknown>,
    { groupId, transactions }: CheckedGroup,
    origin: LogOrigin,
  ): void {
    const transactionIds = transactions.map(({ record }) => record.transactionId);
    const facts = { settlementId: groupId, kind, transactionIds, ...origin };
    this.#options.logger.debug(facts, 'prepared a settlement');
  }

  /** One line for each movement of value: what an operator finds it by, and how it ended. */
  #tellEnd({ handOvers, createdAt }: Settlement, ended: SettlementView, origin: LogOrigin): void {
    const { settlementId, kind, state, reason } = ended;
    const seconds = (this.#options.clock.now() - createdAt) / 1_000;
    const facts = { settlementId, kind, assets: handOvers.length, seconds, ...origin };
    measure('settlement', { kind, outcome: state === 'voided' ? state : 'settled', seconds });
    if (state === 'voided') this.#options.logger.info({ ...facts, reason }, 'voided a settlement');
    else this.#options.logger.info(facts, 'settled');
    this.#ended.tell(ended);
  }

  #step(step: SettlementStep, settlementId: SettlementId): void {
    this.#options.atStep?.(step, settlementId);
  }
}

/**
 * Where a settlement came from, also when another process finishes it. The keys of HTTP clients are not for the log, not
 * even as their hashes: with the same request, a key brings a passphrase back.
 */
function originOf(key: IdempotencyKey): LogOrigin {
  const [, kind, id] = /^(interaction|trade):([^:]+)/.exec(key) ?? [];
  if (kind === undefined || id === undefined) return {};
  return kind === 'trade' ? { tradeId: id } : { interactionId: id };
}

/** Carries out, within a database transaction, what a prepared settlement does once its group is committed. */
export async function settleWithin(
  stores: Stores,
  settlement: Settlement,
  at: number,
): Promise<void> {
  const { settlementId, effects } = settlement;
  await stores.settlements.resolveSettlement(settlementId, {
    state: 'settled',
    reason: null,
    at,
  });
  for (const { holdId, creditAccount, code } of effects.captures) {
    await stores.ledger.captureHold(holdId, { creditAccount, code, at });
  }
  for (const [index, payout] of effects.payouts.entries()) {
    // Position 0 is the price that `prepare` may have taken.
    await payFromBank(stores.ledger, { ...payout, settlementId, position: index + 1, at });
  }
  for (const { memberId, cardId } of effects.cards) await stores.rolls.addCard(memberId, cardId);
  await takeOver(stores, settlement, await stores.journal.listGroup(settlementId), at);
  await stores.settlements.freeReservations({ kind: 'settlement', settlementId });
  await endTrade(stores, effects, 'settled');
}

/** Follows the chain, where these transactions stand: passphrases and holders. */
async function takeOver(
  stores: Stores,
  { kind, handOvers }: Settlement,
  entries: readonly JournalEntry[],
  at: number,
): Promise<void> {
  for (const { assetId, transactionId } of entries) {
    await stores.vault.promote(transactionId);
    // What a caller of the API moved by passphrase is no longer the bot's to keep.
    if (kind === 'create') await stores.settlements.removeHolding(assetId);
  }
  const standing = new Set(entries.map(({ transactionId }) => transactionId));
  for (const { assetId, to: holder, toOwnerId: ownerId, transactionId } of handOvers) {
    if (!standing.has(transactionId)) continue;
    const holding = { assetId, holder, ownerId, transactionId, obtainedAt: at };
    await stores.settlements.putHolding(holding);
  }
}

async function endTrade(
  stores: Stores,
  { tradeId }: SettlementEffects,
  state: 'settled' | 'failed',
): Promise<void> {
  if (tradeId === null) return;
  const trade = await stores.trades.findTrade(tradeId);
  if (trade === undefined) throw new Error(`trade ${tradeId} of a settlement has no row`);
  await stores.trades.updateTrade({ ...trade, state });
}

function withTransactionIds(
  wanted: readonly WantedHandOver[],
  transactionIds: ReadonlyMap<AssetId, TransactionId>,
): readonly HandOver[] {
  return wanted.map(({ assetId, from, to, toOwnerId }) => {
    const transactionId = transactionIds.get(assetId);
    if (transactionId === undefined) throw new Error(`no transaction was made for ${assetId}`);
    return { transactionId, assetId, from, to, toOwnerId };
  });
}

/** What the edges show of a settlement. */
export function toView(settlement: Settlement): SettlementView {
  const { settlementId, kind, state, reason, handOvers, effects } = settlement;
  return { settlementId, kind, state, reason, handOvers, tradeId: effects.tradeId };
}

/** True when the chain has this very record, and not another one under its id. */
export function stands(
  chain: Pick<ChainIndex, 'findTransaction'>,
  { transactionId, record }: Pick<JournalEntry, 'transactionId' | 'record'>,
): boolean {
  return chain.findTransaction(transactionId)?.record.equals(record) === true;
}
