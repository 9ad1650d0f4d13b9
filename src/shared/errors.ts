// The table of expected errors: code, kind, whether a repeat may succeed, and what the user is told.

/** How an edge treats an error: one Discord reply, one HTTP status, one exit code for each kind. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'missing'
  | 'conflict'
  | 'too-large'
  | 'throttled'
  | 'unavailable'
  | 'damaged';

interface ErrorDefinition {
  readonly kind: ErrorKind;
  /** True when the same request may succeed later without anyone changing it. */
  readonly retryable: boolean;
  /** What stopped, what is true now, what to do. `{name}` is filled from the error's data. */
  readonly message: string;
}

const define = (kind: ErrorKind, retryable: boolean, message: string): ErrorDefinition => ({
  kind,
  retryable,
  message,
});

// prettier-ignore
export const ERRORS = {
  // chain
  ASSET_NOT_FOUND: define('missing', false, 'There is no asset {assetId} on the chain. Nothing was changed. Pick one from the list that the option offers.'),
  ASSET_ID_INVALID: define('invalid', false, 'The asset id {assetId} cannot be the name of a branch: {reason}. Nothing was written. Choose another id.'),
  OWNER_ID_INVALID: define('invalid', false, 'The owner id is not usable: {reason}. Nothing was written. Send a non-empty text.'),
  METADATA_INVALID: define('invalid', false, 'The metadata was refused: {reason}. Nothing was written. Send a smaller or simpler JSON object.'),
  TRANSACTION_ID_INVALID: define('invalid', false, 'The transaction id is not a lowercase UUID. Nothing was written. Leave it out and the node makes one.'),
  TRANSACTION_ID_TAKEN: define('conflict', false, 'The transaction id {transactionId} was used before. Nothing was written. Use a new one.'),
  ASSET_BUSY: define('conflict', true, 'The asset ID {assetId} is pending a transaction. Nothing was changed. Wait until that one is committed, then try again.'),
  CHAIN_ADVANCED: define('conflict', true, 'Another transaction for {assetId} reached the chain first. Yours was dropped and nothing moved. Look at the asset again, then retry.'),
  PASSPHRASE_MISMATCH: define('forbidden', false, 'The submitted passphrase was incorrect. Nothing was changed. Present the successor passphrase of the asset\'s newest transaction.'),
  NODE_IS_OBSERVER: define('forbidden', false, 'This node is an observer: it may read the beacon but not push to it. Nothing was written. Send the transaction to a validator.'),
  CHAIN_REWRITTEN: define('unavailable', true, 'The token chain was rewritten by someone outside. Nothing was accepted or charged, and nothing moved: everything that you own is still yours, and coins still move. Tokens move again once the operator has put the chain right.'),
  TRANSACTION_LOST: define('conflict', false, 'This transaction is not on the chain any more: someone outside rewrote the chain, and the operator has accepted that. Nothing of it counts, and coins that were held for it are back. Look at the asset again; what the bot keeps for you it hands over anew.'),
  EPOCH_REWRITTEN: define('damaged', false, 'The epoch branch {branch} was rewritten, and that cannot be accepted: every token chain starts from it, and a node that starts anew would believe none of them. Nothing was changed. Put it back first, then accept the rest: {command}'),
  REWRITES_CHANGED: define('conflict', false, 'The chain is not rewritten in the way that {digest} stands for: it has changed, or was put back, since that was shown. Nothing was changed. Run `npx aibot chain accept` again and read what it shows now.'),
  BEACON_UNREACHABLE: define('unavailable', true, 'The beacon does not answer. Reads go on from what was last seen, nothing new was accepted. Try again in a moment.'),
  BEACON_REFUSED: define('unavailable', true, 'The beacon refused the push: {reason}. Nothing moved. The operator has to look at the remote.'),
  BEACON_UNUSABLE: define('damaged', false, 'The beacon at {beacon} cannot be used: {reason}. Nothing was written. Point BEACON_URL at a beacon with an epoch branch, or at an empty repository.'),
  BEACON_ACCESS_DENIED: define('unauthenticated', false, 'The beacon {beacon} does not let this node in: {reason}. Nothing was written. Look at the key or the credentials that the node was given, and at their rights on the host.'),
  BEACON_HOST_KEY_CHANGED: define('forbidden', false, 'The host of the beacon {beacon} shows another key than the one that stands in {file}. Nothing was sent and nothing written. Ask who runs the host whether its key was changed: if not, somebody stands between; if so, take the old line out of that file and start again.'),
  BEACON_HOST_KEY_UNKNOWN: define('forbidden', false, 'The host of the beacon {beacon} has no key in the file that BEACON_KNOWN_HOSTS_FILE names. Nothing was sent and nothing written. Put the host\'s key there, as who runs it publishes it.'),
  BEACON_KEY_EXPOSED: define('unavailable', false, 'The ssh key file {file} can be read or changed by others (mode {mode}). Nothing was started. Make it yours alone: `chmod 600`.'),
  BEACON_KEY_INVALID: define('invalid', false, 'The ssh key for the beacon ({key}) cannot be used: {reason}. Nothing was started. Give a private key without a passphrase, for this beacon alone.'),
  QUEUE_FULL: define('throttled', true, 'Too much is waiting right now. Nothing was accepted or charged. Try again in a moment.'),
  // vault
  VAULT_PASSPHRASE_WRONG: define('forbidden', false, 'The vault does not open with this passphrase or key file. Nothing was changed. Start with the VAULT_PASSPHRASE or the key file that made this data directory.'),
  VAULT_KEY_MISSING: define('unavailable', false, 'The vault\'s key file {file} is missing though the vault exists. Nothing was changed. Restore the file from your backup.'),
  VAULT_KEY_EXPOSED: define('unavailable', false, 'The vault\'s key file {file} can be read by others (mode {mode}). Nothing was changed. Make it yours alone: `chmod 600`.'),
  VAULT_KEY_INVALID: define('damaged', false, 'The vault\'s key file {file} is not a key: {reason}. Nothing was changed. Restore the file from your backup.'),
  VAULT_KEY_OTHER_KIND: define('forbidden', false, 'The vault was made with {made}, but was opened with {given}. Nothing was changed. {remedy}'),
  VAULT_SEAL_BROKEN: define('damaged', false, 'A sealed passphrase of {assetId} does not open: the row was altered. Nothing was changed. Restore it from a backup.'),
  VAULT_REKEY_UNFINISHED: define('conflict', false, 'A change of the vault\'s key was not finished. Nothing was started. Run `npx aibot vault rekey` again as the last time; it goes on where it stopped.'),
  RECOVERY_JOURNAL_UNUSABLE: define('damaged', false, 'The recovery journal {file} cannot be used: {reason}. Nothing was changed. Set RECOVERY_JOURNAL to this bot\'s own journal, or to a file that is not there yet.'),
  RECOVERY_JOURNAL_UNWRITABLE: define('unavailable', true, 'The recovery journal {file} cannot be written: {reason}. Nothing was charged and nothing moved; what was under way goes on. The operator has to look at that disk.'),
  PASSPHRASE_NOT_HELD: define('missing', false, 'The bot does not keep the passphrase of {assetId}, so it cannot move it. Nothing was changed.'),
  // ledger
  AMOUNT_INVALID: define('invalid', false, '“{amount}” is not an amount. Nothing was changed. Write a whole positive number of gc such as `1200`, `1.2k`, `1p 2g` or `all`.'),
  INSUFFICIENT_FUNDS: define('conflict', false, 'You need {needed} and have {balance}. Nothing was spent. `/daily` gives coins once a day.'),
  HOLD_NOT_OPEN: define('conflict', false, 'That reservation of coins is closed already. Nothing was changed.'),
  KEY_REUSED: define('conflict', false, 'This request id was used before for something else. Nothing was changed. Send the command again.'),
  SELF_PAYMENT: define('invalid', false, 'You cannot send something to yourself. Nothing was changed. Pick another member.'),
  BOT_RECIPIENT: define('invalid', false, 'Bots cannot own coins or tokens here. Nothing was changed. Pick a person.'),
  DAILY_TAKEN: define('conflict', false, 'You took your daily coins already. Nothing was changed. The next ones are ready <t:{nextAtSeconds}:R>.'),
  // guyacha
  BANNER_NOT_FOUND: define('missing', false, 'There is no open banner of that name. Nothing was spent. Use `/help` to see what is open.'),
  BANNER_CLOSED: define('conflict', false, 'The banner {banner} is not open now. Nothing was spent. Use `/help` to see what is open.'),
  NO_PRIZE_LEFT: define('conflict', false, 'The banner {banner} has no prize left to give. Nothing was spent. Use `/help` to see what else is open.'),
  NOT_MINTABLE: define('conflict', false, '{assetId} is not waiting to be minted. Nothing was changed. Pick one from the list that the option offers.'),
  MINT_COOLDOWN: define('throttled', true, 'You minted a moment ago. Nothing was changed. You can mint again <t:{nextAtSeconds}:R>.'),
  // holdings and trade
  ASSET_NOT_YOURS: define('forbidden', false, '{assetId} is not yours to move. Nothing was changed. Pick one from the list that the option offers.'),
  ASSET_RESERVED: define('conflict', true, '{assetId} is reserved by {holder}. Nothing was changed. Free it there, or wait until that is over.'),
  ASSET_FROZEN: define('unavailable', false, '{assetId} is frozen: a backup was restored, and the passphrase that moves it was made later. Nothing was changed. The operator has been told.'),
  TRADE_NOT_FOUND: define('missing', false, 'You have no open trade. Nothing was changed. Start one with `/trade start`.'),
  TRADE_NOT_YOURS: define('forbidden', false, 'This trade is between two other members. Nothing was changed. Start your own with `/trade start`.'),
  TRADE_CLOSED: define('conflict', false, 'Trade {tradeId} is over ({state}). Nothing was changed. Start a new one with `/trade start`.'),
  TRADE_CHANGED: define('conflict', false, 'The offer of trade {tradeId} changed since this view was made. Your click did nothing. Look at the fresh view and decide again.'),
  TRADE_LOCKED: define('conflict', false, 'Your side of trade {tradeId} is locked. Nothing was changed. Cancel the trade to start over.'),
  TRADE_NOT_LOCKED: define('conflict', false, 'Trade {tradeId} can be confirmed when both sides are locked. Nothing was changed. Lock your side, or wait for the other one.'),
  TRADE_EMPTY: define('invalid', false, 'Trade {tradeId} holds nothing yet. Nothing was changed. Add an asset or coins first.'),
  TRADE_FULL: define('conflict', false, 'One side of a trade holds at most {limit} assets. Nothing was changed. Settle this trade, then start another.'),
  TRADE_UNFUNDED: define('conflict', false, 'Trade {tradeId} cannot settle: one side no longer has the coins or assets that it offers. Nothing moved and both locks were opened. Check the offers and lock again.'),
  TRADE_BUSY: define('conflict', false, '{who} already takes part in trade {tradeId}. Nothing was changed. Finish or cancel that one first.'),
  FEATURE_FROZEN: define('unavailable', false, '{feature} is frozen because an audit found something off. Nothing was charged and nothing moved: what you own is still yours, and you can look at all of it. The operator has been told.'),
  // edges
  INPUT_INVALID: define('invalid', false, 'The request was refused: {reason}. Nothing was changed.'),
  BODY_TOO_LARGE: define('too-large', false, 'The body is larger than {limit} bytes. Nothing was written.'),
  CREATES_THROTTLED: define('throttled', true, 'This address sent more than {limit} transactions within {seconds} s. This one was not accepted and nothing was written. Send it again after the seconds that Retry-After names.'),
  API_TOKEN_REQUIRED: define('unauthenticated', false, 'This needs an API token of this node, and the request brought none that is good. Nothing was written. Send it as `Authorization: Bearer …`; the operator makes one with `npx aibot token add`.'),
  API_TOKEN_UNSET: define('forbidden', false, 'This node can be reached from the network and has no API token yet, so nobody may do this; reads are open. Nothing was written. The operator makes a token with `npx aibot token add`.'),
  API_TOKENS_INVALID: define('damaged', false, 'The file of API tokens {file} has a line that is no token, so none is believed. Nothing was changed. Make tokens with `npx aibot token add` only; delete the file to start over.'),
  REQUEST_NOT_LOCAL: define('forbidden', false, 'Without an API token only programs on this machine may do this, and the request is not from one: {reason}. Nothing was written. Call 127.0.0.1 directly, or have the operator make a token with `npx aibot token add`.'),
  DEPTH_INVALID: define('invalid', false, 'Failed to parse depth parameter. Nothing was read. Write a whole decimal number.'),
  HTTP_ADDRESS_UNUSABLE: define('unavailable', false, 'The HTTP API cannot listen at {address}: {reason}. Nothing was started. Set HTTP_HOST and HTTP_PORT to a free address.'),
  INTROSPECTION_OFF: define('missing', false, 'Introspection is off on this validator. Nothing was read. Ask an observer, or have the operator set NODE_INTROSPECTION=true.'),
  VIEW_EXPIRED: define('conflict', false, 'This view is out of date and its button did nothing. Here is how things stand now.'),
  NOT_YOUR_VIEW: define('forbidden', false, 'This view belongs to another member. Nothing was changed. Use the command yourself.'),
  DISCORD_TOKEN_REFUSED: define('unauthenticated', false, 'Discord refused the bot token. Nothing was started. Put the token from the developer portal into DISCORD_TOKEN.'),
  DISCORD_UNREACHABLE: define('unavailable', true, 'Discord cannot be reached: {reason}. Nothing was lost. Look at the network and at Discord\'s status, then start again.'),
  CONFIG_INVALID: define('invalid', false, 'The configuration has faults. Nothing was started or changed.\n{faults}'),
  DATABASE_TOO_NEW: define('unavailable', false, 'The database {file} was written by a newer version of the bot (it has {migration}). Nothing was changed. Start that version, or restore an older backup.'),
  DATA_DIR_IN_USE: define('conflict', true, 'Another process works on the data directory {dir}. Nothing was changed. Stop it first, or set another DATA_DIR.'),
  BACKUP_DIR_NOT_EMPTY: define('conflict', false, 'There is something in {dir} already. Nothing was written. Name a folder that is empty or not there yet.'),
  BACKUP_DAMAGED: define('damaged', false, 'The backup in {dir} is damaged: {reason}. Nothing was changed. Take another backup.'),
  BACKUP_INCOMPLETE: define('damaged', false, 'After a restore of this backup {count} things would be off; they are listed above. Nothing was changed. Take a new backup, and keep the newest recovery journal.'),
  DATA_DIR_NOT_EMPTY: define('conflict', false, 'The data directory {dir} is not empty. Nothing was changed. Set DATA_DIR to a new folder; only the vault\'s key file and the recovery journal may be there already.'),
  RESTORE_UNFINISHED: define('unavailable', false, 'A restore into {dir} was not finished. Nothing was started. Run `npx aibot restore` with the same backup again; it begins anew.'),
  AUDIT_FAILED: define('damaged', false, 'The audit found {count} things that are off; they are listed above. A running bot has frozen what they concern. Restore nothing by hand before you know why.'),
  REWRITES_FOUND: define('damaged', false, 'The chain was rewritten. Refs that do not go on from what this node knows, listed above: {count}. Nothing on the beacon was changed, and the node writes nothing meanwhile. docs/recipes/chain-rewritten.md says how to put them back, or to accept them.'),
  VERIFICATION_FAILED: define('damaged', false, 'The verification found {count} things that are off in {beacon}; they are listed above. Nothing was changed. docs/verification.md says what each means and what to do.'),
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorData = Readonly<Record<string, string | number>>;

/** How much a message quotes of a fact: what came from outside may be of any length. */
const MAX_FACT_LENGTH = 700;

/** An expected refusal: a row of {@link ERRORS} with the facts of this case. Anything else is a fault. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly data: ErrorData;

  constructor(code: ErrorCode, data: ErrorData = {}, options?: { cause?: unknown }) {
    // What is quoted of a bad input may end in half a character, or be none.
    // A configuration's faults are one a line, and many; every other fact is a word, a name or a sentence.
    const maxLength = code === 'CONFIG_INVALID' ? Infinity : MAX_FACT_LENGTH;
    super(fillMessage(ERRORS[code].message, data, maxLength).toWellFormed(), options);
    this.code = code;
    this.data = data;
  }

  get kind(): ErrorKind {
    return ERRORS[this.code].kind;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}

/** True for an {@link AppError} that carries this code. */
export function hasCode(error: unknown, code: ErrorCode): error is AppError {
  return error instanceof AppError && error.code === code;
}

function fillMessage(template: string, data: ErrorData, maxLength: number): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    if (!Object.hasOwn(data, name)) return placeholder;
    const fact = String(data[name]);
    return fact.length <= maxLength ? fact : `${fact.slice(0, maxLength)}…`;
  });
}
