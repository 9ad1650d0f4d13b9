// What a node knows of the chain, for commands that hold the beacon against it: its index, and what its journal witnesses.
import { existsSync } from 'node:fs';
import type { Database } from '../app/ports/database.ts';
import type { ChainIndex } from '../chain/chain-index.ts';
import { followAccepted } from '../chain/follow-accepted.ts';
import type { Witness } from '../chain/rewrites.ts';
import type { Config } from '../config.ts';
import { dataFiles, type Closers } from '../core.ts';
import { copyFile } from '../db/copy-database.ts';
import { openChainIndex } from '../db/sqlite-chain-index.ts';
import { AppError } from '../shared/errors.ts';

/** @throws AppError INPUT_INVALID when there is neither a state nor, for an observer, an index. */
export function refuseUnknownChain({ dataDir }: Config): void {
  const files = dataFiles(dataDir);
  if (existsSync(files.state) || existsSync(files.index)) return;
  throw new AppError('INPUT_INVALID', { reason: `there is no database in ${dataDir}` });
}

/**
 * Opens a copy of the index, with what was accepted forgotten in it; empty when the node has none.
 * @param copy where it is put.
 */
export async function openIndexCopy(
  { dataDir }: Config,
  closers: Closers,
  { database, copy }: { readonly database: Database; readonly copy: string },
): Promise<ChainIndex> {
  const { index: file } = dataFiles(dataDir);
  if (existsSync(file)) await copyFile(file, copy);
  const index = openChainIndex(copy);
  closers.add(() => index.close());
  await followAccepted(index, database);
  return index;
}

/** What the journal knows to be committed and the index does not have. */
export async function listWitnesses(
  database: Database,
  index: ChainIndex,
): Promise<readonly Witness[]> {
  const committed = await database.read(({ journal }) => journal.listCommitted());
  return committed.filter(
    ({ transactionId }) => index.findTransaction(transactionId) === undefined,
  );
}
