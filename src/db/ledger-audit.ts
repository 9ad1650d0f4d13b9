// Recomputes the ledger from its transfers and says, in words, everything that does not agree with what is kept.
import { sql } from 'kysely';
import type { Connection } from './connection.ts';
import { rawStatement } from './statement.ts';

/** More findings than this help nobody; the first ones say what is wrong. */
const MAX_FINDINGS = 20;

const sumOfBalances = rawStatement(
  () => sql<{ sum: number }>`SELECT coalesce(sum(balance_gc), 0) AS sum FROM accounts`,
);
const wrongBalances = rawStatement(
  () => sql<{ accountId: string; keptGc: number; foundGc: number }>`
    WITH moves AS (
      SELECT account_id, sum(change_gc) AS change_gc FROM (
        SELECT debit_account AS account_id, -amount_gc AS change_gc FROM transfers
        UNION ALL SELECT credit_account, amount_gc FROM transfers)
      GROUP BY account_id)
    SELECT a.account_id AS accountId, a.balance_gc AS keptGc, coalesce(m.change_gc, 0) AS foundGc
    FROM accounts AS a LEFT JOIN moves AS m USING (account_id)
    WHERE a.balance_gc <> coalesce(m.change_gc, 0)
    LIMIT ${sql.lit(MAX_FINDINGS)}`,
);
const wrongStatements = rawStatement(
  () => sql<{ accountId: string }>`
    SELECT a.account_id AS accountId
    FROM accounts AS a LEFT JOIN statement_lines AS l
      ON l.account_id = a.account_id AND l.line_number = a.line_count
    WHERE a.balance_gc <> coalesce(l.balance_after_gc, 0)
    LIMIT ${sql.lit(MAX_FINDINGS)}`,
);
const belowZero = rawStatement(
  () => sql<{ accountId: string; balanceGc: number }>`
    SELECT account_id AS accountId, balance_gc AS balanceGc FROM accounts
    WHERE balance_gc < 0 AND account_id <> 'issuance' LIMIT ${sql.lit(MAX_FINDINGS)}`,
);
const wrongEscrows = rawStatement(
  () => sql<{ accountId: string; keptGc: number; heldGc: number }>`
    WITH escrows AS (
      SELECT account_id, balance_gc FROM accounts
      WHERE account_id >= 'escrow:' AND account_id < 'escrow;'),
    held AS (SELECT 'escrow:' || hold_id AS account_id, amount_gc FROM holds WHERE state = 'placed')
    SELECT escrows.account_id AS accountId, balance_gc AS keptGc, coalesce(amount_gc, 0) AS heldGc
    FROM escrows LEFT JOIN held USING (account_id)
    WHERE balance_gc <> coalesce(amount_gc, 0)
    UNION ALL
    SELECT held.account_id, 0, amount_gc FROM held
    WHERE held.account_id NOT IN (SELECT account_id FROM escrows)
    LIMIT ${sql.lit(MAX_FINDINGS)}`,
);
const strayHolds = rawStatement(
  () => sql<{ holdId: string; settlementId: string }>`
    SELECT h.hold_id AS holdId, h.settlement_id AS settlementId
    FROM holds AS h JOIN settlements AS s USING (settlement_id)
    WHERE h.state = 'placed' AND s.state <> 'prepared' LIMIT ${sql.lit(MAX_FINDINGS)}`,
);

/** @returns one sentence for each thing that is off; none when the ledger is sound. */
export function auditLedger(connection: Connection): string[] {
  const sum = connection.first(sumOfBalances, {})?.sum ?? 0;
  return [
    ...(sum === 0 ? [] : [`the balances sum to ${sum} gc instead of zero`]),
    ...connection
      .all(wrongBalances, {})
      .map((row) => `${row.accountId} keeps ${row.keptGc} gc, its transfers give ${row.foundGc}`),
    ...connection
      .all(wrongStatements, {})
      .map((row) => `the last line of ${row.accountId}'s statement is not its balance`),
    ...connection
      .all(belowZero, {})
      .map((row) => `${row.accountId} stands at ${row.balanceGc} gc, below zero`),
    ...connection
      .all(wrongEscrows, {})
      .map((row) => `${row.accountId} keeps ${row.keptGc} gc, its hold says ${row.heldGc}`),
    ...connection
      .all(strayHolds, {})
      .map((row) => `hold ${row.holdId} is open, its settlement ${row.settlementId} has ended`),
  ];
}
