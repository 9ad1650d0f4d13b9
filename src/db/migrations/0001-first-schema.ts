// The first schema: every table, with the rules that must hold whatever the program does.
import { sql, type Kysely } from 'kysely';

const SETTLEMENTS = [
  `CREATE TABLE settlements (
    settlement_id TEXT PRIMARY KEY CHECK (length(settlement_id) BETWEEN 1 AND 200),
    key TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200),
    kind TEXT NOT NULL
      CHECK (kind IN ('catalogue', 'mint', 'roll', 'gift', 'trade', 'payment', 'daily', 'create')),
    state TEXT NOT NULL DEFAULT 'prepared' CHECK (state IN ('prepared', 'settled', 'voided')),
    effects TEXT CHECK (json_valid(effects)),
    answer TEXT CHECK (json_valid(answer)),
    reason TEXT,
    created_at INTEGER NOT NULL CHECK (created_at >= 0),
    resolved_at INTEGER,
    CHECK ((state = 'prepared') = (resolved_at IS NULL)),
    CHECK (state = 'voided' OR reason IS NULL),
    CHECK ((effects IS NULL) = (answer IS NULL)),
    CHECK (state <> 'settled' OR effects IS NOT NULL)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX settlements_prepared ON settlements (created_at, settlement_id)
    WHERE state = 'prepared'`,
  `CREATE TRIGGER settlements_end_once BEFORE UPDATE ON settlements
    WHEN OLD.state <> 'prepared'
      OR (NEW.settlement_id, NEW.key, NEW.kind, NEW.created_at)
        IS NOT (OLD.settlement_id, OLD.key, OLD.kind, OLD.created_at)
      OR (OLD.effects IS NOT NULL AND (NEW.effects, NEW.answer) IS NOT (OLD.effects, OLD.answer))
    BEGIN SELECT RAISE(ABORT, 'a settlement is planned once and ends once'); END`,
  `CREATE TRIGGER settlements_stay BEFORE DELETE ON settlements
    BEGIN SELECT RAISE(ABORT, 'a settlement is never deleted'); END`,
  `CREATE TABLE hand_overs (
    settlement_id TEXT NOT NULL REFERENCES settlements,
    position INTEGER NOT NULL CHECK (position >= 0),
    transaction_id TEXT NOT NULL UNIQUE CHECK (length(transaction_id) BETWEEN 1 AND 200),
    asset_id TEXT NOT NULL CHECK (length(asset_id) BETWEEN 1 AND 240),
    from_holder TEXT CHECK (length(from_holder) BETWEEN 1 AND 40),
    to_holder TEXT NOT NULL CHECK (length(to_holder) BETWEEN 1 AND 40),
    to_owner_id TEXT NOT NULL CHECK (length(to_owner_id) BETWEEN 1 AND 512),
    PRIMARY KEY (settlement_id, position),
    UNIQUE (settlement_id, asset_id)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER hand_overs_unchanged BEFORE UPDATE ON hand_overs
    BEGIN SELECT RAISE(ABORT, 'a hand-over is never changed'); END`,
  `CREATE TRIGGER hand_overs_stay BEFORE DELETE ON hand_overs
    BEGIN SELECT RAISE(ABORT, 'a hand-over is never deleted'); END`,
];

const TRADES = [
  `CREATE TABLE trades (
    trade_id TEXT PRIMARY KEY CHECK (length(trade_id) BETWEEN 1 AND 40),
    key TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200),
    state TEXT NOT NULL
      CHECK (state IN ('open', 'settling', 'settled', 'cancelled', 'expired', 'failed')),
    version INTEGER NOT NULL CHECK (version > 0),
    proposer TEXT NOT NULL CHECK (length(proposer) BETWEEN 1 AND 20),
    counterparty TEXT NOT NULL CHECK (length(counterparty) BETWEEN 1 AND 20),
    sides TEXT NOT NULL CHECK (json_valid(sides)),
    settlement_id TEXT REFERENCES settlements,
    created_at INTEGER NOT NULL CHECK (created_at >= 0),
    expires_at INTEGER NOT NULL CHECK (expires_at >= created_at),
    channel_id TEXT,
    message_id TEXT,
    CHECK (proposer <> counterparty),
    CHECK ((channel_id IS NULL) = (message_id IS NULL))
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX trades_open ON trades (expires_at) WHERE state = 'open'`,
  // A member is on either side, so "one active trade a member" needs a table of its own to be one unique key.
  `CREATE TABLE active_traders (
    member_id TEXT PRIMARY KEY,
    trade_id TEXT NOT NULL REFERENCES trades
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER trades_begin AFTER INSERT ON trades WHEN NEW.state IN ('open', 'settling')
    BEGIN
      INSERT INTO active_traders (member_id, trade_id)
        VALUES (NEW.proposer, NEW.trade_id), (NEW.counterparty, NEW.trade_id);
    END`,
  `CREATE TRIGGER trades_end AFTER UPDATE OF state ON trades
    WHEN NEW.state NOT IN ('open', 'settling')
    BEGIN DELETE FROM active_traders WHERE member_id IN (NEW.proposer, NEW.counterparty); END`,
  `CREATE TRIGGER trades_stay_ended BEFORE UPDATE OF
      trade_id, key, state, version, proposer, counterparty, sides, settlement_id, created_at, expires_at
    ON trades
    WHEN (OLD.state NOT IN ('open', 'settling')
        AND (NEW.state, NEW.version, NEW.sides, NEW.settlement_id, NEW.expires_at)
          IS NOT (OLD.state, OLD.version, OLD.sides, OLD.settlement_id, OLD.expires_at))
      OR NEW.version < OLD.version
      OR (OLD.state = 'settling' AND NEW.state NOT IN ('settling', 'settled', 'failed'))
      OR (NEW.trade_id, NEW.key, NEW.proposer, NEW.counterparty, NEW.created_at)
        IS NOT (OLD.trade_id, OLD.key, OLD.proposer, OLD.counterparty, OLD.created_at)
    BEGIN SELECT RAISE(ABORT, 'a trade that ended stays, and a trade never goes back'); END`,
  `CREATE TRIGGER trades_stay BEFORE DELETE ON trades
    BEGIN SELECT RAISE(ABORT, 'a trade is never deleted'); END`,
];

const CUSTODY = [
  `CREATE TABLE reservations (
    asset_id TEXT PRIMARY KEY CHECK (length(asset_id) BETWEEN 1 AND 240),
    settlement_id TEXT REFERENCES settlements,
    trade_id TEXT REFERENCES trades,
    reserved_at INTEGER NOT NULL CHECK (reserved_at >= 0),
    CHECK ((settlement_id IS NULL) <> (trade_id IS NULL))
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX reservations_of_settlement ON reservations (settlement_id)
    WHERE settlement_id IS NOT NULL`,
  `CREATE INDEX reservations_of_trade ON reservations (trade_id) WHERE trade_id IS NOT NULL`,
  `CREATE TABLE holdings (
    asset_id TEXT PRIMARY KEY CHECK (length(asset_id) BETWEEN 1 AND 240),
    holder TEXT NOT NULL CHECK (length(holder) BETWEEN 1 AND 40),
    owner_id TEXT NOT NULL CHECK (length(owner_id) BETWEEN 1 AND 512),
    transaction_id TEXT NOT NULL CHECK (length(transaction_id) BETWEEN 1 AND 200),
    obtained_at INTEGER NOT NULL CHECK (obtained_at >= 0)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX holdings_of_holder ON holdings (holder, obtained_at DESC, asset_id)`,
  `CREATE TABLE owners (
    owner_id TEXT PRIMARY KEY CHECK (length(owner_id) BETWEEN 1 AND 512),
    member_id TEXT NOT NULL CHECK (length(member_id) BETWEEN 1 AND 20)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER owners_unchanged BEFORE UPDATE ON owners
    BEGIN SELECT RAISE(ABORT, 'an owner id stands for one member for ever'); END`,
];

const LEDGER = [
  `CREATE TABLE accounts (
    account_id TEXT PRIMARY KEY CHECK (length(account_id) BETWEEN 1 AND 250),
    balance_gc INTEGER NOT NULL DEFAULT 0
      CHECK (balance_gc BETWEEN -9007199254740991 AND 9007199254740991),
    line_count INTEGER NOT NULL DEFAULT 0 CHECK (line_count >= 0),
    CONSTRAINT balance_below_zero CHECK (balance_gc >= 0 OR account_id = 'issuance'),
    CHECK (account_id IN ('issuance', 'bank')
      OR account_id GLOB 'member:?*' OR account_id GLOB 'escrow:?*')
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE transfers (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    transfer_id TEXT NOT NULL UNIQUE CHECK (length(transfer_id) BETWEEN 1 AND 200),
    debit_account TEXT NOT NULL REFERENCES accounts,
    credit_account TEXT NOT NULL REFERENCES accounts,
    amount_gc INTEGER NOT NULL CHECK (amount_gc BETWEEN 1 AND 1000000000000),
    code TEXT NOT NULL CHECK (code IN ('bank-funding', 'daily', 'payment', 'roll-price', 'roll-prize',
      'trade-price', 'hold-released', 'correction')),
    settlement_id TEXT NOT NULL REFERENCES settlements,
    created_at INTEGER NOT NULL CHECK (created_at >= 0),
    CHECK (debit_account <> credit_account)
  ) STRICT`,
  `CREATE TABLE statement_lines (
    account_id TEXT NOT NULL REFERENCES accounts,
    line_number INTEGER NOT NULL CHECK (line_number > 0),
    sequence INTEGER NOT NULL REFERENCES transfers,
    change_gc INTEGER NOT NULL CHECK (change_gc <> 0),
    balance_after_gc INTEGER NOT NULL,
    PRIMARY KEY (account_id, line_number)
  ) STRICT, WITHOUT ROWID`,
  // Before, not after: an account that appears while a transfer already misses it makes SQLite read every transfer.
  `CREATE TRIGGER transfers_open_accounts BEFORE INSERT ON transfers
    BEGIN
      INSERT INTO accounts (account_id) VALUES (NEW.debit_account), (NEW.credit_account)
        ON CONFLICT DO NOTHING;
    END`,
  // The balances and both statements follow from the transfer itself: no code path can write one without the others.
  `CREATE TRIGGER transfers_post AFTER INSERT ON transfers
    BEGIN
      UPDATE accounts SET balance_gc = balance_gc - NEW.amount_gc, line_count = line_count + 1
        WHERE account_id = NEW.debit_account;
      UPDATE accounts SET balance_gc = balance_gc + NEW.amount_gc, line_count = line_count + 1
        WHERE account_id = NEW.credit_account;
      INSERT INTO statement_lines
        SELECT account_id, line_count, NEW.sequence, -NEW.amount_gc, balance_gc
        FROM accounts WHERE account_id = NEW.debit_account;
      INSERT INTO statement_lines
        SELECT account_id, line_count, NEW.sequence, NEW.amount_gc, balance_gc
        FROM accounts WHERE account_id = NEW.credit_account;
    END`,
  `CREATE TRIGGER transfers_unchanged BEFORE UPDATE ON transfers
    BEGIN SELECT RAISE(ABORT, 'a transfer is never changed: correct it with another'); END`,
  `CREATE TRIGGER transfers_stay BEFORE DELETE ON transfers
    BEGIN SELECT RAISE(ABORT, 'a transfer is never deleted: correct it with another'); END`,
  `CREATE TRIGGER statement_lines_unchanged BEFORE UPDATE ON statement_lines
    BEGIN SELECT RAISE(ABORT, 'a statement line is never changed'); END`,
  `CREATE TRIGGER statement_lines_stay BEFORE DELETE ON statement_lines
    BEGIN SELECT RAISE(ABORT, 'a statement line is never deleted'); END`,
  `CREATE TABLE holds (
    hold_id TEXT PRIMARY KEY CHECK (length(hold_id) BETWEEN 1 AND 200),
    account_id TEXT NOT NULL REFERENCES accounts,
    amount_gc INTEGER NOT NULL CHECK (amount_gc BETWEEN 1 AND 1000000000000),
    settlement_id TEXT NOT NULL REFERENCES settlements,
    state TEXT NOT NULL DEFAULT 'placed'
      CHECK (state IN ('placed', 'captured', 'released', 'expired')),
    placed_at INTEGER NOT NULL CHECK (placed_at >= 0),
    closed_at INTEGER,
    CHECK ((state = 'placed') = (closed_at IS NULL))
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX holds_open ON holds (settlement_id) WHERE state = 'placed'`,
  `CREATE TRIGGER holds_close_once BEFORE UPDATE ON holds
    WHEN OLD.state <> 'placed'
      OR (NEW.hold_id, NEW.account_id, NEW.amount_gc, NEW.settlement_id, NEW.placed_at)
        IS NOT (OLD.hold_id, OLD.account_id, OLD.amount_gc, OLD.settlement_id, OLD.placed_at)
    BEGIN SELECT RAISE(ABORT, 'a hold changes once, from placed to its end'); END`,
  `CREATE TRIGGER holds_stay BEFORE DELETE ON holds
    BEGIN SELECT RAISE(ABORT, 'a hold is never deleted'); END`,
];

const VAULT = [
  `CREATE TABLE vault_header (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    kdf TEXT NOT NULL CHECK (kdf IN ('argon2id', 'key-file')),
    parameters TEXT NOT NULL CHECK (length(parameters) <= 200),
    salt BLOB NOT NULL CHECK (length(salt) <= 64),
    wrapped_key BLOB NOT NULL CHECK (length(wrapped_key) BETWEEN 1 AND 200)
  ) STRICT`,
  `CREATE TRIGGER vault_header_stays BEFORE DELETE ON vault_header
    BEGIN SELECT RAISE(ABORT, 'the vault header is the only way to the data key'); END`,
  `CREATE TABLE vault_entries (
    transaction_id TEXT PRIMARY KEY CHECK (length(transaction_id) BETWEEN 1 AND 200),
    asset_id TEXT NOT NULL CHECK (length(asset_id) BETWEEN 1 AND 240),
    custody TEXT NOT NULL CHECK (custody IN ('bot', 'caller')),
    sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN 1 AND 4096),
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'current', 'spent', 'void')),
    created_at INTEGER NOT NULL CHECK (created_at >= 0)
  ) STRICT, WITHOUT ROWID`,
  `CREATE UNIQUE INDEX vault_entries_current ON vault_entries (asset_id) WHERE state = 'current'`,
  `CREATE TRIGGER vault_entries_forward BEFORE UPDATE ON vault_entries
    WHEN NOT ((OLD.state = 'waiting' AND NEW.state IN ('current', 'void'))
        OR (OLD.state = 'current' AND NEW.state = 'spent'))
      OR (NEW.transaction_id, NEW.asset_id, NEW.custody, NEW.sealed, NEW.created_at)
        IS NOT (OLD.transaction_id, OLD.asset_id, OLD.custody, OLD.sealed, OLD.created_at)
    BEGIN SELECT RAISE(ABORT, 'a vault entry only goes from waiting to current or void, then to spent'); END`,
  `CREATE TRIGGER vault_entries_stay BEFORE DELETE ON vault_entries
    BEGIN SELECT RAISE(ABORT, 'a vault entry is the last copy of a key'); END`,
];

const JOURNAL = [
  `CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    transaction_id TEXT NOT NULL UNIQUE CHECK (length(transaction_id) BETWEEN 1 AND 200),
    group_id TEXT NOT NULL CHECK (length(group_id) BETWEEN 1 AND 200),
    position INTEGER NOT NULL CHECK (position >= 0),
    asset_id TEXT NOT NULL CHECK (length(asset_id) BETWEEN 1 AND 240),
    owner_id TEXT NOT NULL CHECK (length(owner_id) BETWEEN 1 AND 512),
    record BLOB NOT NULL CHECK (length(record) BETWEEN 1 AND 65536),
    parent TEXT NOT NULL CHECK (length(parent) IN (40, 64) AND NOT parent GLOB '*[^0-9a-f]*'),
    committer TEXT NOT NULL CHECK (length(committer) BETWEEN 1 AND 500),
    commit_time_seconds INTEGER NOT NULL CHECK (commit_time_seconds >= 0),
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'committed', 'rejected')),
    reason TEXT,
    accepted_at INTEGER NOT NULL CHECK (accepted_at >= 0),
    resolved_at INTEGER,
    UNIQUE (group_id, position),
    CHECK ((state = 'pending') = (resolved_at IS NULL)),
    CHECK (state = 'rejected' OR reason IS NULL)
  ) STRICT`,
  `CREATE UNIQUE INDEX journal_pending_asset ON journal (asset_id) WHERE state = 'pending'`,
  `CREATE INDEX journal_pending ON journal (sequence) WHERE state = 'pending'`,
  `CREATE TRIGGER journal_resolve_once BEFORE UPDATE ON journal
    WHEN OLD.state <> 'pending'
      OR (NEW.sequence, NEW.transaction_id, NEW.group_id, NEW.position, NEW.asset_id, NEW.owner_id,
          NEW.record, NEW.parent, NEW.committer, NEW.commit_time_seconds, NEW.accepted_at)
        IS NOT (OLD.sequence, OLD.transaction_id, OLD.group_id, OLD.position, OLD.asset_id, OLD.owner_id,
          OLD.record, OLD.parent, OLD.committer, OLD.commit_time_seconds, OLD.accepted_at)
    BEGIN SELECT RAISE(ABORT, 'a journal row changes once, from pending to its end'); END`,
  `CREATE TRIGGER journal_stays BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'a journal row is never deleted'); END`,
];

const ROLLS = [
  `CREATE TABLE rolls (
    settlement_id TEXT NOT NULL REFERENCES settlements,
    position INTEGER NOT NULL CHECK (position >= 0),
    member_id TEXT NOT NULL CHECK (length(member_id) BETWEEN 1 AND 20),
    banner_id TEXT NOT NULL CHECK (length(banner_id) BETWEEN 1 AND 200),
    entry_id TEXT NOT NULL CHECK (length(entry_id) BETWEEN 1 AND 200),
    created_at INTEGER NOT NULL CHECK (created_at >= 0),
    PRIMARY KEY (settlement_id, position)
  ) STRICT, WITHOUT ROWID`,
  // What is left of an entry is asked before every roll, so its count is kept instead of counted.
  `CREATE TABLE wins (
    banner_id TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (banner_id, entry_id)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER rolls_only_while_prepared BEFORE INSERT ON rolls
    WHEN (SELECT state FROM settlements WHERE settlement_id = NEW.settlement_id) <> 'prepared'
    BEGIN SELECT RAISE(ABORT, 'a roll belongs to a settlement that has not ended'); END`,
  `CREATE TRIGGER rolls_count AFTER INSERT ON rolls
    BEGIN
      INSERT INTO wins (banner_id, entry_id, count) VALUES (NEW.banner_id, NEW.entry_id, 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
    END`,
  `CREATE TRIGGER rolls_voided AFTER UPDATE OF state ON settlements
    WHEN NEW.state = 'voided' AND OLD.state <> 'voided'
    BEGIN
      UPDATE wins SET count = wins.count - voided.count
        FROM (SELECT banner_id, entry_id, count(*) AS count FROM rolls
          WHERE settlement_id = NEW.settlement_id GROUP BY banner_id, entry_id) AS voided
        WHERE wins.banner_id = voided.banner_id AND wins.entry_id = voided.entry_id;
    END`,
  `CREATE TRIGGER rolls_unchanged BEFORE UPDATE ON rolls
    BEGIN SELECT RAISE(ABORT, 'a roll is never changed'); END`,
  `CREATE TRIGGER rolls_stay BEFORE DELETE ON rolls
    BEGIN SELECT RAISE(ABORT, 'a roll is never deleted'); END`,
  `CREATE TABLE cards (
    member_id TEXT NOT NULL CHECK (length(member_id) BETWEEN 1 AND 20),
    card_id TEXT NOT NULL CHECK (length(card_id) BETWEEN 1 AND 200),
    count INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (member_id, card_id)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE claims (
    member_id TEXT NOT NULL CHECK (length(member_id) BETWEEN 1 AND 20),
    kind TEXT NOT NULL CHECK (kind IN ('daily', 'mint')),
    claimed_at INTEGER NOT NULL CHECK (claimed_at >= 0),
    PRIMARY KEY (member_id, kind)
  ) STRICT, WITHOUT ROWID`,
];

/** Makes every table of an empty database. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [SETTLEMENTS, TRADES, CUSTODY, LEDGER, VAULT, JOURNAL, ROLLS].flat();
  for (const statement of statements) await sql.raw(statement).execute(db);
}
