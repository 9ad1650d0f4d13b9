// A small node and app in memory: honest about passphrases, pending and committed, and ready to fail when told to.
import { v4 as uuidv4 } from 'uuid';
import type { CreatedTransaction, CreateTransactionRequest } from '../../src/app/app.ts';
import type {
  ChainChange,
  ChainFault,
  IndexedTransaction,
  IndexMark,
  KeyRange,
} from '../../src/chain/chain-index.ts';
import type { TransactionState } from '../../src/chain/journal-store.ts';
import type { ChainReader, NodeStatus } from '../../src/chain/node.ts';
import {
  checkMetadata,
  encodeRecord,
  recordDigest,
  type TransactionRecord,
} from '../../src/chain/record.ts';
import { parseAssetId, parseOwnerId } from '../../src/chain/refs.ts';
import { generatePassphrase, hashPassphrase } from '../../src/chain/succession.ts';
import type { HttpParts } from '../../src/http/server.ts';
import { AppError, type ErrorCode } from '../../src/shared/errors.ts';
import {
  isTransactionId,
  type AssetId,
  type CommitId,
  type OwnerId,
  type TransactionId,
} from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';

interface State {
  readonly state: TransactionState;
  readonly reason: ErrorCode | null;
}

const newestFirst = (a: IndexedTransaction, b: IndexedTransaction): number =>
  b.transactionTime - a.transactionTime || (a.transactionId < b.transactionId ? -1 : 1);

const isPredecessor = (one: IndexedTransaction, next: IndexedTransaction): boolean =>
  one.assetId === next.assetId && one.position === next.position - 1;

function within<T>(
  { from, below, limit }: KeyRange,
  lines: readonly (readonly [string, T])[],
): T[] {
  const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return lines
    .filter(([key]) => order(key, from) >= 0 && (below === undefined || order(key, below) < 0))
    .sort(([a], [b]) => order(a, b))
    .slice(0, limit)
    .map(([, line]) => line);
}

const recordText = ({ record }: IndexedTransaction): string => record.toString();

/** The chain as a list of committed transactions. */
class FakeChain implements ChainReader {
  readonly all: IndexedTransaction[] = [];

  revision(): number {
    return this.all.length;
  }

  findTip(assetId: AssetId): IndexedTransaction | undefined {
    return this.listAssetHistory(assetId, 1)[0];
  }

  findTransaction(transactionId: TransactionId): IndexedTransaction | undefined {
    return this.all.find((each) => each.transactionId === transactionId);
  }

  listOwnerAssets(
    ownerId: string,
    { limit, offset }: { limit: number; offset: number },
  ): IndexedTransaction[] {
    return this.#tipsOf(ownerId)
      .sort(newestFirst)
      .slice(offset, offset + limit);
  }

  countOwnerAssets(ownerId: string): number {
    return this.#tipsOf(ownerId).length;
  }

  findTipRecord(assetId: AssetId): string | undefined {
    return this.findTip(assetId)?.record.toString();
  }

  findRecord(transactionId: TransactionId): string | undefined {
    return this.findTransaction(transactionId)?.record.toString();
  }

  listOwnerAssetRecords(ownerId: string): string[] {
    return this.#tipsOf(ownerId).sort(newestFirst).map(recordText);
  }

  listOwnerHistoryRecords(ownerId: string, depth: number): string[] {
    return this.all
      .filter((each) => each.ownerId === ownerId)
      .sort(newestFirst)
      .slice(0, depth)
      .map(recordText);
  }

  listAssetHistoryRecords(assetId: AssetId, depth: number): string[] {
    return this.listAssetHistory(assetId, depth).map(recordText);
  }

  listAssetHistory(assetId: AssetId, depth: number): IndexedTransaction[] {
    return this.all
      .filter((each) => each.assetId === assetId)
      .sort((a, b) => b.position - a.position)
      .slice(0, depth);
  }

  currentMark(): IndexMark {
    return { generation: 0, row: this.all.length };
  }

  listChanges(
    { generation, row }: IndexMark,
    limit: number,
  ): { changes: ChainChange[]; mark: IndexMark } {
    const changes = this.all.slice(row, row + limit).map((each) => ({
      ...each,
      previousOwnerId: this.all.find((other) => isPredecessor(other, each))?.ownerId ?? null,
    }));
    return { changes, mark: { generation, row: row + changes.length } };
  }

  listTransactionIds(range: KeyRange): TransactionId[] {
    return within(
      range,
      this.all.map(({ transactionId }) => [transactionId, transactionId] as const),
    );
  }

  listAssetOwners(range: KeyRange): [AssetId, OwnerId][] {
    return within(
      range,
      this.#tips().map(({ assetId, ownerId }) => [assetId, [assetId, ownerId]]),
    );
  }

  listOwnersWithAssets(range: KeyRange): [OwnerId, AssetId[]][] {
    const owners = new Set(this.#tips().map(({ ownerId }) => ownerId));
    return within(
      range,
      [...owners].map((ownerId) => {
        const assets = this.#tipsOf(ownerId).sort(newestFirst);
        return [ownerId, [ownerId, assets.map(({ assetId }) => assetId)]];
      }),
    );
  }

  searchAssets(): AssetId[] {
    return [];
  }

  #tips(): IndexedTransaction[] {
    return [...new Map(this.all.map((each) => [each.assetId, each])).values()];
  }

  #tipsOf(ownerId: string): IndexedTransaction[] {
    return this.#tips().filter((each) => each.ownerId === ownerId);
  }
}

export class FakeNode implements HttpParts {
  readonly chain = new FakeChain();
  readonly node = this;
  readonly app = this;
  readonly botOwnerId = 'bot-owner';
  /** What the log was told as an error. */
  readonly logged: object[] = [];
  readonly logger = { ...silentLogger, error: (facts: object) => void this.logged.push(facts) };
  readonly faults: ChainFault[] = [];
  role: NodeStatus['role'] = 'validator';
  introspection = true;
  /** Thrown at the next use of anything. */
  failure: unknown;
  readonly #states = new Map<TransactionId, State>();
  readonly #pending = new Map<AssetId, TransactionRecord>();
  readonly #answers = new Map<string, CreatedTransaction>();
  #held = false;
  #time = 1_700_000_000_000;

  /** Accepted transactions stay pending until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(reason?: ErrorCode): void {
    this.#held = false;
    for (const record of [...this.#pending.values()]) this.#resolve(record, reason);
  }

  /** Puts a record on the chain as another node would. */
  commit(record: TransactionRecord, bytes = encodeRecord(record)): void {
    const position = (this.chain.findTip(record.assetId)?.position ?? 0) + 1;
    const commitId = recordDigest(bytes).slice(0, 40) as CommitId;
    this.chain.all.push({ ...record, commitId, position, record: bytes });
  }

  async findState(transactionId: TransactionId): Promise<State | undefined> {
    await this.#mayFail();
    const stands = this.chain.findTransaction(transactionId) !== undefined;
    return stands ? { state: 'committed', reason: null } : this.#states.get(transactionId);
  }

  async status(): Promise<NodeStatus> {
    await this.#mayFail();
    return {
      role: this.role,
      roleEvents: [{ role: this.role, reason: 'set by NODE_ROLE', at: 1_700_000_000_000 }],
      beacon: 'memory',
      epochBranch: 'main',
      assets: new Set(this.chain.all.map(({ assetId }) => assetId)).size,
      transactions: this.chain.all.length,
      pending: this.#pending.size,
      queue: { inFlight: 0, oldestAcceptedAt: null },
      lastSyncAt: null,
      rewriting: null,
      isBeaconAway: false,
      faults: this.faults,
    };
  }

  async createTransaction(request: CreateTransactionRequest): Promise<CreatedTransaction> {
    await this.#mayFail();
    const { key } = request;
    const assetId = parseAssetId(request.assetId);
    const ownerId = parseOwnerId(request.ownerId);
    const metadata = request.metadata == null ? null : checkMetadata(request.metadata);
    const transactionId = parseTransactionId(request.transactionId);
    checkPassphrase(request.passphrase);
    const earlier = key && this.#answers.get(key);
    if (earlier !== undefined) {
      const repeated = { ...earlier.record, assetId, ownerId, metadata };
      if (encodeRecord(repeated).equals(encodeRecord(earlier.record))) return earlier;
      throw new AppError('KEY_REUSED');
    }
    if (this.role === 'observer') throw new AppError('NODE_IS_OBSERVER');
    if (this.#pending.has(assetId)) throw new AppError('ASSET_BUSY', { assetId });
    const tip = this.chain.findTip(assetId);
    if (tip !== undefined && hashPassphrase(String(request.passphrase)) !== tip.successorHash) {
      throw new AppError('PASSPHRASE_MISMATCH', { assetId });
    }
    if (this.#states.has(transactionId)) {
      throw new AppError('TRANSACTION_ID_TAKEN', { transactionId });
    }
    const successorPassphrase = generatePassphrase();
    const record = {
      successorHash: hashPassphrase(successorPassphrase),
      transactionId,
      transactionTime: (this.#time += 1),
      assetId,
      ownerId,
      metadata,
    };
    const answer = { record, successorPassphrase };
    if (key !== undefined) this.#answers.set(key, answer);
    this.#pending.set(assetId, record);
    this.#states.set(record.transactionId, { state: 'pending', reason: null });
    setImmediate(() => this.#held || this.#resolve(record));
    return answer;
  }

  #resolve(record: TransactionRecord, reason?: ErrorCode): void {
    if (!this.#pending.delete(record.assetId)) return;
    if (reason === undefined) this.commit(record);
    else this.#states.set(record.transactionId, { state: 'rejected', reason });
  }

  async #mayFail(): Promise<void> {
    await Promise.resolve();
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure as Error;
  }
}

function parseTransactionId(given: unknown): TransactionId {
  if (given === undefined || given === null) return uuidv4() as TransactionId;
  if (typeof given === 'string' && isTransactionId(given)) return given;
  throw new AppError('TRANSACTION_ID_INVALID');
}

function checkPassphrase(given: unknown): void {
  if (given === undefined || given === null) return;
  if (typeof given === 'string' && given.length <= 1_024) return;
  throw new AppError('INPUT_INVALID', { reason: 'the passphrase is not a short text' });
}
