// Opens the parts of the program that a row measures, as the program itself does, and creates transactions on them.
import { createHash, randomUUID } from 'node:crypto';
import { makeCreateTransaction } from '../../src/app/create-transaction.ts';
import type { CreateTransactionRequest } from '../../src/app/app.ts';
import { Settlements } from '../../src/app/settlements.ts';
import type { NfgtNode } from '../../src/chain/node.ts';
import { parseConfig } from '../../src/config.ts';
import { Closers, openCore, type Core } from '../../src/core.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { TransactionId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { Bench } from './row.ts';

/** How long the end waits for settlements that are still open. */
const DRAIN_MS = 10_000;

/** A node, and what closes it. */
interface BenchNode extends Core {
  readonly close: () => Promise<void>;
}

/**
 * Opens the parts below the edges with the program's defaults, its timers included.
 * @throws AppError of any part; what was opened before is closed again.
 */
export async function openBenchNode({
  dataDir,
  remote,
}: Pick<Bench, 'dataDir' | 'remote'>): Promise<BenchNode> {
  const closers = new Closers();
  const config = parseConfig({
    DATA_DIR: dataDir,
    ...(remote !== undefined && { BEACON_URL: remote }),
  });
  try {
    const core = await openCore(config, closers, { logger: silentLogger, ambient: process.env });
    return { ...core, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

/** A node that takes transactions, as the HTTP API's use case puts them on the chain. */
export interface BenchValidator extends BenchNode {
  readonly create: ReturnType<typeof makeCreateTransaction>;
  /** Creates a transaction and resolves once it is committed. @throws Error when it is rejected */
  readonly commit: (request: CreateTransactionRequest) => Promise<void>;
}

export async function openBenchValidator(
  bench: Pick<Bench, 'dataDir' | 'remote'>,
): Promise<BenchValidator> {
  const node = await openBenchNode(bench);
  // The app's start makes this file; a new vault has nothing to put into it.
  await node.recovery.rewrite([]);
  const settlements = new Settlements({ ...node, clock: systemClock, logger: silentLogger });
  const create = makeCreateTransaction({ ...node, settlements });
  const ends = listenToEnds(node.node);
  return {
    ...node,
    create,
    commit: async (request) => ends.wait((await create(request)).record.transactionId),
    close: async () => {
      await settlements.drain(DRAIN_MS);
      await node.close();
    },
  };
}

/** A mint like those of the event: an id of 120 characters, the metadata of its records. */
export function newMint(): CreateTransactionRequest {
  const name = randomUUID();
  const base64 = (text: string): string => Buffer.from(text).toString('base64url');
  const picture = `https://guya.example/media/manga/bench/chapters/${name}`;
  return {
    assetId: base64(picture.padEnd(90, '.')),
    ownerId: createHash('sha256').update(name).digest('base64').slice(0, 24),
    metadata: {
      ai_asset_id: name,
      gc_cost: 0,
      user_name: base64('a collector'),
      user_pic_url: base64('https://cdn.example/embed/avatars/1.png'),
    },
    passphrase: undefined,
    transactionId: undefined,
    key: undefined,
  };
}

/** Tells when a transaction is committed, as a program that listens to the node would learn it. */
function listenToEnds(node: NfgtNode): { readonly wait: (id: TransactionId) => Promise<void> } {
  /** A reason for a rejection, nothing for a commit; kept until somebody asks. */
  const ended = new Map<TransactionId, Error | undefined>();
  const waiters = new Map<TransactionId, (failure: Error | undefined) => void>();
  const end = (id: TransactionId, failure: Error | undefined): void => {
    const waiter = waiters.get(id);
    if (waiter === undefined) ended.set(id, failure);
    else waiter(failure);
  };
  node.on('transaction-committed', ({ transaction }) => end(transaction.transactionId, undefined));
  node.on('transaction-rejected', ({ entry, reason }) => {
    end(entry.transactionId, new Error(`rejected: ${reason}`));
  });
  return {
    wait: (id) =>
      new Promise((resolve, reject) => {
        const settle = (failure: Error | undefined): void => {
          waiters.delete(id);
          ended.delete(id);
          if (failure === undefined) resolve();
          else reject(failure);
        };
        if (ended.has(id)) settle(ended.get(id));
        else waiters.set(id, settle);
      }),
  };
}
