// What the edges (Discord, HTTP, the command line) may ask of the program: one method a use case, and their answers.
import type { UncheckedDraft } from '../chain/draft.ts';
import type { JsonValue, TransactionRecord } from '../chain/record.ts';
import type { GuyaCoin } from '../shared/guya-coin.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type {
  AssetId,
  IdempotencyKey,
  MemberId,
  SettlementId,
  TradeId,
  TransactionId,
} from '../shared/ids.ts';
import type { StatementLine } from '../ledger/ledger-store.ts';
import type { Trade } from '../trade/trade.ts';
import type { TradeWindow } from '../trade/trade-store.ts';
import type { CardCount } from './ports/roll-store.ts';
import type {
  HandOver,
  Holder,
  SettlementKind,
  SettlementState,
} from './ports/settlement-store.ts';

/** A member as Discord shows them; name and picture reach the chain only under CHAIN_PRIVACY=public. */
export interface Person {
  readonly memberId: MemberId;
  readonly name: string;
  readonly pictureUrl: string | undefined;
  /** Bots can neither own nor receive anything. */
  readonly isBot: boolean;
}

/** Where a settlement stands; `prepared` is what members know as pending. */
export interface SettlementView {
  readonly settlementId: SettlementId;
  readonly kind: SettlementKind;
  readonly state: SettlementState;
  readonly reason: ErrorCode | null;
  readonly handOvers: readonly HandOver[];
  /** The trade that it settles; null for any other movement. */
  readonly tradeId: TradeId | null;
}

/** What the catalogue (or, for an unknown asset, its id) says about an asset. */
export interface AssetFacts {
  readonly assetId: AssetId;
  readonly name: string;
  /** 1 to 6; 0 for an asset that the catalogue does not know. */
  readonly stars: number;
  readonly series: string | undefined;
}

export interface AssetView extends AssetFacts {
  /** The member who holds it, `bot`, or undefined when the chain's owner is nobody that the bot knows. */
  readonly holder: Holder | undefined;
  readonly ownerId: string;
  readonly transactionId: TransactionId;
  /** How many transactions the asset's chain has. */
  readonly chainLength: number;
  /** ms since the epoch of the newest transaction. */
  readonly transactionTime: number;
  readonly commitId: string;
  /** `held`: in the bot's custody and free; `reserved`: claimed by a trade or a settlement; `outside`: not in custody. */
  readonly status: 'held' | 'reserved' | 'outside';
}

export interface InventoryPage {
  readonly assets: readonly (AssetFacts & {
    readonly obtainedAt: number;
    readonly status: AssetView['status'];
  })[];
  readonly total: number;
  /** 1-based; a page beyond the end is the last one. */
  readonly page: number;
  readonly pages: number;
  readonly cards: readonly (CardCount & { readonly name: string; readonly stars: number })[];
}

export type DrawnPrize =
  | { readonly kind: 'coins'; readonly amountGc: number }
  | { readonly kind: 'card'; readonly cardId: string }
  | { readonly kind: 'nfgt'; readonly asset: AssetFacts; readonly transactionId: TransactionId };

export interface RolledDraw {
  readonly entryId: string;
  readonly name: string;
  readonly stars: number;
  readonly prize: DrawnPrize;
  /** Names of the entries drawn first whose prize the bot no longer owned; told, never billed. */
  readonly rerolledFrom: readonly string[];
}

export interface RollAnswer {
  readonly settlement: SettlementView;
  readonly bannerName: string;
  readonly priceGc: number;
  readonly draws: readonly RolledDraw[];
}

export interface StatementPage {
  readonly lines: readonly StatementLine[];
  readonly balanceGc: number;
  readonly page: number;
  readonly pages: number;
}

/** A trade with all that its window shows. */
export interface TradeView {
  readonly trade: Trade;
  readonly assets: ReadonlyMap<AssetId, AssetFacts>;
  readonly window: TradeWindow | undefined;
  /** Present once both have confirmed. */
  readonly settlement: SettlementView | undefined;
}

/** An asset in an autocomplete list. */
export interface AssetChoice {
  readonly assetId: AssetId;
  /** At most 100 characters. */
  readonly label: string;
}

export interface CreateTransactionRequest extends UncheckedDraft {
  readonly key: IdempotencyKey | undefined;
  /** What the log finds the settlement by. */
  readonly requestId?: string;
}

export interface CreatedTransaction {
  readonly record: TransactionRecord & { readonly metadata: JsonValue };
  readonly successorPassphrase: string;
}

/** A requested movement is identified by `key` (for Discord `interaction:<id>`): a repeat gets the first answer again. */
export interface App {
  /** @throws AppError BANNER_NOT_FOUND, BANNER_CLOSED, INSUFFICIENT_FUNDS, NO_PRIZE_LEFT, FEATURE_FROZEN */
  roll(request: {
    key: IdempotencyKey;
    member: Person;
    count: number;
    bannerId: string | undefined;
  }): Promise<RollAnswer>;
  /** @throws AppError NOT_MINTABLE, MINT_COOLDOWN */
  mint(request: {
    key: IdempotencyKey;
    member: Person;
    assetId: string;
  }): Promise<{ settlement: SettlementView; asset: AssetFacts }>;
  /** @throws AppError ASSET_NOT_YOURS, ASSET_RESERVED, SELF_PAYMENT, BOT_RECIPIENT */
  gift(request: {
    key: IdempotencyKey;
    from: Person;
    to: Person;
    assetId: string;
  }): Promise<{ settlement: SettlementView; asset: AssetFacts }>;
  /** @throws AppError AMOUNT_INVALID, INSUFFICIENT_FUNDS, SELF_PAYMENT, BOT_RECIPIENT */
  pay(request: {
    key: IdempotencyKey;
    from: Person;
    to: Person;
    amount: string;
  }): Promise<{ amountGc: GuyaCoin; balanceGc: number }>;
  /** @throws AppError DAILY_TAKEN */
  daily(request: {
    key: IdempotencyKey;
    member: Person;
  }): Promise<{ amountGc: GuyaCoin; balanceGc: number; nextAt: number }>;

  /** @throws AppError SELF_PAYMENT, BOT_RECIPIENT, TRADE_BUSY */
  startTrade(request: { key: IdempotencyKey; from: Person; to: Person }): Promise<TradeView>;
  /**
   * The member's own active trade is meant. `expected`: the trade and the offer's version of the view acted from; given
   * by buttons, selects and modals, not by commands.
   * @throws AppError TRADE_NOT_FOUND, TRADE_NOT_YOURS, TRADE_CLOSED, TRADE_CHANGED, TRADE_LOCKED, TRADE_FULL,
   *   ASSET_NOT_YOURS, ASSET_RESERVED, AMOUNT_INVALID, INSUFFICIENT_FUNDS
   */
  addToTrade(request: {
    member: Person;
    assetId: string;
    expected?: TradeExpectation;
  }): Promise<TradeView>;
  removeFromTrade(request: {
    member: Person;
    assetId: string;
    expected?: TradeExpectation;
  }): Promise<TradeView>;
  /** `amount` as typed; `none` takes the coins out again. */
  setTradeCoins(request: {
    member: Person;
    amount: string;
    expected?: TradeExpectation;
  }): Promise<TradeView>;
  lockTrade(request: { member: Person; expected: TradeExpectation }): Promise<TradeView>;
  /** The second confirmation of the same version prepares the settlement. */
  confirmTrade(request: {
    member: Person;
    other: Person | undefined;
    expected: TradeExpectation;
  }): Promise<TradeView>;
  cancelTrade(request: {
    member: Person;
    expected?: Pick<TradeExpectation, 'tradeId'>;
  }): Promise<TradeView>;
  /** The member's active trade. @throws AppError TRADE_NOT_FOUND */
  showTrade(memberId: MemberId): Promise<TradeView>;
  /** Any trade. @throws AppError TRADE_NOT_FOUND */
  getTrade(tradeId: TradeId): Promise<TradeView>;
  /**
   * Trades of the last hour that have ended and have a window: an earlier process may have died before its window said
   * so.
   */
  listEndedTrades(): Promise<readonly TradeView[]>;
  rememberTradeWindow(tradeId: TradeId, window: TradeWindow): Promise<void>;

  inventory(request: {
    memberId: MemberId;
    page: number;
    pageSize: number;
  }): Promise<InventoryPage>;
  balance(memberId: MemberId): Promise<number>;
  statement(request: {
    memberId: MemberId;
    page: number;
    pageSize: number;
  }): Promise<StatementPage>;
  /** @throws AppError ASSET_NOT_FOUND */
  viewAsset(assetId: string): Promise<AssetView>;
  /** A PNG that the project made itself. */
  pictureOf(assetId: AssetId): Buffer;
  /** What stands open, for `/help`. */
  listBanners(): readonly {
    readonly bannerId: string;
    readonly name: string;
    readonly priceGc: number;
    readonly endsAt: number | undefined;
  }[];

  /** At most 25 each, for autocomplete; matched by any part of id or name, ignoring case. */
  findTradeable(memberId: MemberId, text: string): Promise<readonly AssetChoice[]>;
  findInTrade(memberId: MemberId, text: string): Promise<readonly AssetChoice[]>;
  findMintable(text: string): Promise<readonly AssetChoice[]>;
  findAssets(text: string): Promise<readonly AssetChoice[]>;

  /** The settlement's view once it is settled or voided, or as it stands after `timeoutMs`. */
  waitForSettlement(settlementId: SettlementId, timeoutMs: number): Promise<SettlementView>;
  /** Called for every settlement that ends and every trade that expires, also those that recovery finishes. */
  onSettlement(listener: (view: SettlementView) => void): () => void;
  onTradeChanged(listener: (view: TradeView) => void): () => void;

  /** The HTTP route's use case. @throws AppError of the node, KEY_REUSED */
  createTransaction(request: CreateTransactionRequest): Promise<CreatedTransaction>;
  /** The bot's own owner id on the chain. */
  readonly botOwnerId: string;
  /** What is off at present and the operator must know of; empty while all is well. */
  listAlarms(): readonly Alarm[];
  /** Called after every audit, whatever it found, and whenever the chain was rewritten or restored. */
  onAlarmsLooked(listener: () => void): () => void;
  /** Checks every invariant now, and freezes what the findings concern. An empty list is a clean audit. */
  audit(): Promise<AuditReport>;
}

/** What the member saw when they acted. */
export interface TradeExpectation {
  readonly tradeId: TradeId;
  readonly version: number;
}

export interface AuditFinding {
  /** The invariant that does not hold. */
  readonly invariant: string;
  readonly detail: string;
  /** The asset that it concerns, when it concerns a single one. */
  readonly assetId?: AssetId;
}

/** Something that is off, for the operator. */
export interface Alarm {
  /** `freeze`: an audit has frozen the subject. `rewriting`: the beacon no longer goes on from what the node knows. */
  readonly kind: 'freeze' | 'rewriting';
  /** What is concerned; among the alarms of one moment it stands once. */
  readonly subject: string;
  /** Stays the same as long as there is nothing new to tell. */
  readonly id: string;
  /** The first few of `total` things that are off, from rows and chain as they stand there. */
  readonly details: readonly string[];
  readonly total: number;
}

export interface AuditReport {
  readonly findings: readonly AuditFinding[];
  readonly counts: Readonly<Record<string, number>>;
  readonly at: number;
}
