// Writes an interaction chain of the real event's shape into a repository: any size, the same bits for the same seed.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { v4 as uuidv4 } from 'uuid';
import { encodeRecord, recordDigest } from '../../src/chain/record.ts';
import { branchOf } from '../../src/chain/refs.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import { seededRandomness, type Randomness } from '../../src/guyacha/randomness.ts';
import type { AssetId, CommitId, OwnerId, TransactionId } from '../../src/shared/ids.ts';

/** The size of the full event. */
export const FULL_EVENT = { assets: 8_403, transactions: 10_454 } as const;

export interface EventChainOptions {
  /** A bare repository, or a path where nothing is. Its branch `main` is the epoch; made when it is not there. */
  readonly gitDir: string;
  readonly seed: string;
  readonly assets: number;
  /** From `assets` to six times as many. */
  readonly transactions: number;
}

/** An asset as the written chain leaves it. */
interface EventAsset {
  readonly assetId: AssetId;
  /** Who holds it in the end. */
  readonly ownerId: OwnerId;
  /** Oldest first. */
  readonly transactionIds: readonly TransactionId[];
  /** The commits of those transactions. */
  readonly commitIds: readonly CommitId[];
  /** What the next transaction must present. */
  readonly successorPassphrase: string;
}

export interface EventChain {
  readonly epoch: CommitId;
  readonly assets: readonly EventAsset[];
  /** Everyone who ever held something; the first one holds most in the end, the last ones nothing any more. */
  readonly owners: readonly OwnerId[];
}

/** How many of the event's interaction chains had so many transactions. */
const CHAIN_LENGTHS = new Map([
  [2, 1286],
  [3, 298],
  [4, 36],
  [5, 14],
  [6, 1],
]);
const LONGEST_CHAIN = 6;
const OWNERS = 939;
const HOLDERS = 911;
const LARGEST_HOLDING = 234;
/** How slowly holdings fall from the largest to the smallest: as Zipf's law with this exponent. */
const HOLDING_EXPONENT = 0.6;
const STARTED_AT = Date.UTC(2022, 3, 1, 0, 0, 0);
const EVENT_MS = 42 * 3_600_000;
const VALIDATOR = '32f2c8';
const LICENCE = 'What stands on this chain may be copied, kept and checked by everyone.\n';

const run = promisify(execFile);

/**
 * Writes the chain, its branches and tags, as the first nodes would have left it: assets, ids, owners, holdings and
 * chain lengths in the event's proportions, the event's own numbers at {@link FULL_EVENT}. Refs that the repository has
 * already stay. Needs a repository that keeps its refs in files.
 */
export async function writeEventChain(options: EventChainOptions): Promise<EventChain> {
  const { gitDir } = options;
  await mkdir(gitDir, { recursive: true });
  await git(gitDir, ['init', '--quiet', '--bare', '--initial-branch=main', '.']);
  const refs = new Map((await listRefs(gitDir)).map(({ name, target }) => [name, target]));
  const epoch = refs.get('refs/heads/main') ?? (await writeEpoch(gitDir));
  refs.set('refs/heads/main', epoch);
  const { assets, owners, transactions } = planEvent(options);
  const commits = await importCommits(gitDir, epoch, transactions);
  const commitIds = assets.map((): CommitId[] => []);
  for (const [index, { asset, transactionId }] of transactions.entries()) {
    const commitId = commits[index] as CommitId;
    commitIds[asset]?.push(commitId);
    refs.set(`refs/tags/${transactionId}`, commitId);
  }
  const written = assets.map((asset, index) => ({ ...asset, commitIds: commitIds[index] ?? [] }));
  for (const asset of written) {
    refs.set(`refs/heads/${branchOf(asset.assetId)}`, asset.commitIds.at(-1) ?? epoch);
  }
  await writePackedRefs(gitDir, refs);
  return { epoch, assets: written, owners };
}

interface PlannedTransaction {
  /** The place of its asset in the plan. */
  readonly asset: number;
  readonly transactionId: TransactionId;
  readonly record: () => Buffer;
  readonly transactionTime: number;
  /** The place of the transaction before it in the plan; undefined for a mint. */
  readonly predecessor: number | undefined;
}

interface Plan {
  readonly assets: readonly Omit<EventAsset, 'commitIds'>[];
  readonly owners: readonly OwnerId[];
  /** In the order of time. */
  readonly transactions: readonly PlannedTransaction[];
}

/** An asset while its transactions are being planned. */
interface AssetDraft {
  readonly assetId: AssetId;
  readonly length: number;
  readonly lastOwner: OwnerId;
  readonly transactionIds: TransactionId[];
  successorPassphrase: string;
  /** The place of its newest transaction in the plan, and who holds it since. */
  newest: { readonly index: number; readonly ownerId: OwnerId } | undefined;
}

/** Who holds what and when, before anything is written. */
function planEvent({ seed, assets: count, transactions: total }: EventChainOptions): Plan {
  const randomness = seededRandomness(seed);
  const lengths = shuffled(chainLengths(count, total), randomness);
  const owners = Array.from({ length: Math.max(3, scaled(OWNERS, count)) }, () =>
    makeOwnerId(randomness),
  );
  const lastOwners = shuffled(finalHoldings(owners, count), randomness);
  const drafts = lengths.map((length, asset): AssetDraft => {
    const assetId = makeAssetId(asset, randomness);
    const lastOwner = lastOwners[asset]!;
    return {
      assetId,
      length,
      lastOwner,
      transactionIds: [],
      successorPassphrase: '',
      newest: undefined,
    };
  });
  // Whoever holds nothing in the end once held something: they come first among those who passed an asset on.
  const passers = [...owners].reverse();
  const nextPasser = (): OwnerId => passers.shift() ?? pick(owners, randomness);
  const order = drafts.flatMap(({ length }, asset) => Array.from({ length }, () => asset));
  const transactions = shuffled(order, randomness).map((asset, index) => {
    const transactionTime = STARTED_AT + Math.floor((index * EVENT_MS) / order.length);
    const draft = drafts[asset]!;
    const ownerId = nextOwner(draft, owners, nextPasser);
    return planTransaction({ seed, asset, index, draft, ownerId, transactionTime });
  });
  const assets = drafts.map(({ assetId, transactionIds, successorPassphrase, lastOwner }) => ({
    assetId,
    transactionIds,
    successorPassphrase,
    ownerId: lastOwner,
  }));
  return { assets, owners, transactions };
}

/** Who gets the asset next. Every transaction but a mint is a hand-over: nobody follows himself. */
function nextOwner(
  { length, lastOwner, transactionIds, newest }: AssetDraft,
  owners: readonly OwnerId[],
  nextPasser: () => OwnerId,
): OwnerId {
  if (transactionIds.length + 1 === length) return lastOwner;
  const passer = nextPasser();
  const barred = [newest?.ownerId, lastOwner];
  return barred.includes(passer) ? owners.find((other) => !barred.includes(other))! : passer;
}

function planTransaction(options: {
  readonly seed: string;
  readonly asset: number;
  readonly index: number;
  readonly draft: AssetDraft;
  readonly ownerId: OwnerId;
  readonly transactionTime: number;
}): PlannedTransaction {
  const { seed, asset, index, draft, ownerId, transactionTime } = options;
  const { assetId, newest } = draft;
  const transactionId = makeTransactionId(seed, index);
  const successorPassphrase = makePassphrase(seed, transactionId);
  draft.transactionIds.push(transactionId);
  draft.successorPassphrase = successorPassphrase;
  draft.newest = { index, ownerId };
  return {
    asset,
    transactionId,
    transactionTime,
    predecessor: newest?.index,
    // Made when it is written, so that a large chain is never in memory as a whole.
    record: () =>
      encodeRecord({
        successorHash: hashPassphrase(successorPassphrase),
        transactionId,
        transactionTime,
        assetId,
        ownerId,
        metadata: eventMetadata(asset, ownerId),
      }),
  };
}

/** Lengths of interaction chains in the event's proportions, with exactly the transactions asked for. */
function chainLengths(assets: number, transactions: number): number[] {
  if (transactions < assets || transactions > LONGEST_CHAIN * assets) {
    throw new RangeError(`${assets} assets cannot have ${transactions} transactions`);
  }
  const lengths = Array.from({ length: assets }, () => 1);
  let at = 0;
  let missing = transactions - assets;
  for (const [length, count] of [...CHAIN_LENGTHS].reverse()) {
    for (let left = scaled(count, assets); left > 0 && missing >= length - 1; left -= 1) {
      lengths[at] = length;
      at += 1;
      missing -= length - 1;
    }
  }
  for (let index = assets - 1; missing > 0; index = index === 0 ? assets - 1 : index - 1) {
    if (lengths[index] === LONGEST_CHAIN) continue;
    lengths[index]! += 1;
    missing -= 1;
  }
  return lengths;
}

/** One owner for each asset: the first owner has the event's share of the largest, some of the last ones have nothing. */
function finalHoldings(owners: readonly OwnerId[], assets: number): OwnerId[] {
  const holders = Math.min(assets, Math.max(2, Math.round((owners.length * HOLDERS) / OWNERS)));
  const largest = Math.min(assets - holders + 1, Math.max(1, scaled(LARGEST_HOLDING, assets)));
  const weights = Array.from({ length: holders - 1 }, (_, rank) => (rank + 2) ** -HOLDING_EXPONENT);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const spare = assets - largest - (holders - 1);
  const counts = [largest, ...weights.map((weight) => 1 + Math.floor((spare * weight) / sum))];
  let missing = assets - counts.reduce((total, count) => total + count, 0);
  for (
    let rank = counts.length - 1;
    missing > 0;
    rank = rank === 1 ? counts.length - 1 : rank - 1
  ) {
    counts[rank]! += 1;
    missing -= 1;
  }
  return counts.flatMap((count, rank) => Array.from({ length: count }, () => owners[rank]!));
}

function scaled(count: number, assets: number): number {
  return Math.round((count * assets) / FULL_EVENT.assets);
}

/** The event's ids: URL-safe base64, with padding, of a picture's URL; 96 to 148 characters. */
function makeAssetId(index: number, randomness: Randomness): AssetId {
  const fixed = `https://guya.example/media/manga//chapters/${String(index).padStart(6, '0')}/1.png?v4`;
  const length = 70 + randomness.uniformInt(42);
  const title = 'A-Story-Of-So-Many-Chapters-That-It-Never-Really-Ends-At-All';
  const url = fixed.replace('//chapters', `/${title.slice(0, length - fixed.length)}/chapters`);
  return Buffer.from(url).toString('base64').replaceAll('+', '-').replaceAll('/', '_') as AssetId;
}

function makeOwnerId(randomness: Randomness): OwnerId {
  const memberId = 100_000_000_000_000_000n + BigInt(randomness.uniformInt(2 ** 47));
  return Buffer.from(String(memberId)).toString('base64') as OwnerId;
}

function makeTransactionId(seed: string, index: number): TransactionId {
  const random = createHash('sha256').update(`${seed}:transaction:${index}`).digest();
  return uuidv4({ random: random.subarray(0, 16) }) as TransactionId;
}

function makePassphrase(seed: string, transactionId: TransactionId): string {
  const digest = createHash('sha256').update(`${seed}:passphrase:${transactionId}`).digest();
  return digest.subarray(0, 24).toString('base64url');
}

function eventMetadata(asset: number, ownerId: OwnerId): Record<string, string | number> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return {
    ai_asset_id: `m-${asset}-1`,
    gc_cost: 0,
    user_name: base64(`collector-${ownerId.slice(-6)}`),
    user_pic_url: base64(`https://cdn.example/embed/avatars/${asset % 5}.png`),
  };
}

function pick<Item>(items: readonly Item[], randomness: Randomness): Item {
  return items[randomness.uniformInt(items.length)]!;
}

function shuffled<Item>(items: readonly Item[], randomness: Randomness): Item[] {
  const result = [...items];
  for (let left = result.length; left > 1; left -= 1) {
    const at = randomness.uniformInt(left);
    [result[at], result[left - 1]] = [result[left - 1]!, result[at]!];
  }
  return result;
}

/** Writes the commits as one pack. @returns their ids in the order of the plan */
async function importCommits(
  gitDir: string,
  epoch: CommitId,
  transactions: readonly PlannedTransaction[],
): Promise<CommitId[]> {
  const marks = join(gitDir, 'event-marks');
  const ref = 'refs/scratch';
  await importStream(gitDir, [`--export-marks=${marks}`], function* () {
    for (const [index, { record, transactionTime, predecessor }] of transactions.entries()) {
      const bytes = record();
      const seconds = Math.floor(transactionTime / 1000);
      yield Buffer.concat([
        Buffer.from(
          `commit ${ref}\nmark :${index + 1}\ncommitter ${VALIDATOR} <${VALIDATOR}> ${seconds} +0000\n` +
            `data 128\n${recordDigest(bytes)}from ${predecessor === undefined ? epoch : `:${predecessor + 1}`}\n` +
            `M 100644 inline metadata.json\ndata ${bytes.length}\n`,
        ),
        bytes,
        Buffer.from('\n\n'),
      ]);
    }
    yield Buffer.from(`reset ${ref}\n\n`);
  });
  const stdout = await readFile(marks, 'latin1');
  await rm(marks);
  const ids: CommitId[] = [];
  for (const line of stdout.trim().split('\n')) {
    const [mark = '', id = ''] = line.split(' ');
    ids[Number(mark.slice(1)) - 1] = id as CommitId;
  }
  return ids;
}

async function writeEpoch(gitDir: string): Promise<CommitId> {
  await importStream(gitDir, [], function* () {
    yield Buffer.from(
      `commit refs/heads/main\ncommitter ${VALIDATOR} <${VALIDATOR}> ${STARTED_AT / 1000} +0000\ndata 5\nEpoch\n` +
        `M 100644 inline LICENSE\ndata ${LICENCE.length}\n${LICENCE}\n`,
    );
  });
  return (await git(gitDir, ['rev-parse', 'refs/heads/main'])) as CommitId;
}

async function importStream(
  gitDir: string,
  options: readonly string[],
  commands: () => Iterable<Buffer>,
): Promise<void> {
  const config = ['-c', 'fastimport.unpackLimit=1', '-c', 'core.fsync=none'];
  const child = spawn(
    'git',
    [...config, 'fast-import', '--quiet', '--date-format=raw', ...options],
    {
      cwd: gitDir,
      stdio: ['pipe', 'ignore', 'inherit'],
    },
  );
  const [[code]] = await Promise.all([once(child, 'close'), pipeline(commands, child.stdin)]);
  if (code !== 0) throw new Error(`git fast-import ended with ${String(code)}`);
}

async function listRefs(gitDir: string): Promise<{ name: string; target: CommitId }[]> {
  const lines = await git(gitDir, ['for-each-ref', '--format=%(objectname) %(refname)']);
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [target = '', name = ''] = line.split(' ');
      return { name, target: target as CommitId };
    });
}

/** All refs in one file, sorted by their bytes: git would write 18,000 of them one by one. */
async function writePackedRefs(gitDir: string, refs: ReadonlyMap<string, CommitId>): Promise<void> {
  const lines = [...refs].map(([name, target]) => ({ key: Buffer.from(name), name, target }));
  lines.sort((a, b) => Buffer.compare(a.key, b.key));
  const packed = lines.map(({ name, target }) => `${target} ${name}\n`);
  const head = '# pack-refs with: peeled fully-peeled sorted \n';
  await writeFile(join(gitDir, 'packed-refs'), `${head}${packed.join('')}`);
}

async function git(gitDir: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', args, { cwd: gitDir, maxBuffer: 1 << 30 });
  return stdout.trimEnd();
}
