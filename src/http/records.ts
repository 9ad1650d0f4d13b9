// Puts answers together from the stored bytes of records: they are sent as they stand on the chain, never printed anew.
import type { IndexedTransaction } from '../chain/chain-index.ts';

const COMMA = Buffer.from(',');
const END = Buffer.from('}');
const END_OF_LIST = Buffer.from(']}');

/** `{"<name>":<record or null>}` */
export function oneRecord(name: string, transaction: IndexedTransaction | undefined): Buffer {
  if (transaction === undefined) return Buffer.from(`{"${name}":null}`);
  return Buffer.concat([Buffer.from(`{"${name}":`), transaction.record, END]);
}

/** `{"<name>":[<records>]}` */
export function listOfRecords(name: string, transactions: readonly IndexedTransaction[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`{"${name}":[`)];
  for (const { record } of transactions) {
    if (parts.length > 1) parts.push(COMMA);
    parts.push(record);
  }
  parts.push(END_OF_LIST);
  return Buffer.concat(parts);
}
