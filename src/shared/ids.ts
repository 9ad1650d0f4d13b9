// Branded ids: a string that was checked once is told apart, by its type, from every other string.

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Names an asset on the chain; its interaction chain is the branch `nfgt-<asset_id>`. */
export type AssetId = Branded<'AssetId'>;
/** A chain transaction's UUID, also the name of its tag. */
export type TransactionId = Branded<'TransactionId'>;
/** The opaque `owner_id` that stands on the chain. */
export type OwnerId = Branded<'OwnerId'>;
/** A Discord user's id (a snowflake, decimal digits). */
export type MemberId = Branded<'MemberId'>;
/** A git commit's object id, lowercase hex. */
export type CommitId = Branded<'CommitId'>;
/** One all-or-nothing movement of value; also the id of its group of chain transactions. */
export type SettlementId = Branded<'SettlementId'>;
/** One immutable debit and credit. */
export type TransferId = Branded<'TransferId'>;
/** Coins reserved in escrow. */
export type HoldId = Branded<'HoldId'>;
/** A trade's short public code, for example `K7Q2`. */
export type TradeId = Branded<'TradeId'>;
/** A ledger account's address: `bank`, `issuance`, `member:<id>`, `escrow:<hold id>`. */
export type AccountId = Branded<'AccountId'>;
/** What makes a repeated request the same request, for example `interaction:<id>`. */
export type IdempotencyKey = Branded<'IdempotencyKey'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SNOWFLAKE = /^[0-9]{1,20}$/;
const OBJECT_ID = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** True for a lowercase UUID of any version. */
export function isTransactionId(text: string): text is TransactionId {
  return UUID.test(text);
}

/** True for a Discord snowflake: one to twenty decimal digits. */
export function isMemberId(text: string): text is MemberId {
  return SNOWFLAKE.test(text);
}

/** True for a SHA-1 or SHA-256 object id in lowercase hex. */
export function isCommitId(text: string): text is CommitId {
  return OBJECT_ID.test(text);
}
