// A small sound chain, and the tools to damage it by plain git as a stranger, a bug or a bad disk would.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { v4 as uuidv4 } from 'uuid';
import { encodeRecord, recordDigest, type TransactionRecord } from '../../src/chain/record.ts';
import { branchOf } from '../../src/chain/refs.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import type { CommitId, TransactionId } from '../../src/shared/ids.ts';
import { writeEventChain, type EventChain } from './event-chain.ts';
import { asset, owner } from './open-test-node.ts';
import { git, tempDir } from './temp-dir.ts';

type EventAsset = EventChain['assets'][number];

/** A transaction to be put on the chain; what is not said is sound. */
interface Addition {
  /** The asset of the branch. */
  readonly assetId: string;
  /** The commit that the new one stands on. */
  readonly parents: readonly string[];
  readonly record?: Partial<TransactionRecord>;
  /** In place of the record: any bytes. */
  readonly bytes?: Buffer;
  readonly message?: string;
  /** Lines for `git mktree` in place of the parent's, `metadata.json` apart. */
  readonly files?: readonly string[];
  /** The line for `metadata.json`; undefined for none. */
  readonly recordEntry?: (blob: string) => string | undefined;
  /** Names of tags to set on it; by default its transaction's id. */
  readonly tags?: readonly string[];
  /** `name <e-mail>` of author and committer. */
  readonly author?: string;
  readonly committer?: string;
  readonly atSeconds?: number;
}

export interface DamagedChain extends EventChain {
  readonly path: string;
  /** An interaction chain of three transactions, and others. */
  readonly three: EventAsset;
  readonly other: EventAsset;
  readonly git: (...args: readonly string[]) => string;
  /** Writes a commit, moves its asset's branch to it and tags it. */
  readonly add: (addition: Addition) => CommitId;
  /** Writes a blob. */
  readonly blob: (content: string | Buffer) => string;
  /** Makes every object a file of its own. @returns that file of an object */
  readonly objectFile: (id: string) => string;
}

type ObjectFormat = 'sha1' | 'sha256';

/** The sound chain is written once; each test damages a copy. */
const templates = new Map<ObjectFormat, Promise<{ folder: string; chain: EventChain }>>();

afterAll(async () => {
  for (const template of templates.values()) {
    rmSync((await template).folder, { recursive: true, force: true });
  }
});

async function writeTemplate(
  objectFormat: ObjectFormat,
): Promise<{ folder: string; chain: EventChain }> {
  const folder = mkdtempSync(join(tmpdir(), 'aibot-template-'));
  git(folder, ['init', '--quiet', '--bare', `--object-format=${objectFormat}`, '.']);
  const size = { assets: 6, transactions: 16 };
  return { folder, chain: await writeEventChain({ gitDir: folder, seed: 'small', ...size }) };
}

/** Six assets with 16 transactions. */
export async function makeChain(objectFormat: ObjectFormat = 'sha1'): Promise<DamagedChain> {
  const template = templates.get(objectFormat) ?? writeTemplate(objectFormat);
  templates.set(objectFormat, template);
  const { folder, chain } = await template;
  const path = join(tempDir(), 'beacon.git');
  cpSync(folder, path, { recursive: true });
  const three = chain.assets.find(({ commitIds }) => commitIds.length === 3)!;
  const blob = (content: string | Buffer): string =>
    git(path, ['hash-object', '-w', '--stdin'], content);
  return {
    ...chain,
    path,
    three,
    other: chain.assets.find((candidate) => candidate !== three)!,
    git: (...args) => git(path, args),
    add: (addition) => addTransaction(path, addition, blob),
    blob,
    objectFile: (id) => explode(path, id),
  };
}

export const branchName = ({ assetId }: Pick<EventAsset, 'assetId'>): string => branchOf(assetId);

/** A sound record for the end of any of the chain's interaction chains. */
function makeRecord(assetId: string, changes: Partial<TransactionRecord> = {}): TransactionRecord {
  const transactionId = uuidv4() as TransactionId;
  return {
    successorHash: hashPassphrase(transactionId),
    transactionId,
    transactionTime: Date.UTC(2023, 0, 1),
    assetId: asset(assetId),
    ownerId: owner('somebody'),
    metadata: {},
    ...changes,
  };
}

function addTransaction(
  path: string,
  addition: Addition,
  blob: (content: string | Buffer) => string,
): CommitId {
  const { assetId, parents, author = 'abc123 <abc123>', committer = author } = addition;
  const record = makeRecord(assetId, addition.record);
  const bytes = addition.bytes ?? encodeRecord(record);
  const inherited = parents[0] === undefined ? '' : git(path, ['ls-tree', parents[0]]);
  const { files = inherited.split('\n').filter((line) => !/\tmetadata\.json$|^$/.test(line)) } =
    addition;
  const entryOf = addition.recordEntry ?? ((id) => `100644 blob ${id}\tmetadata.json`);
  const entries = [...files, entryOf(blob(bytes))].filter((line) => line !== undefined);
  const tree = git(path, ['mktree', '--missing'], entries.map((line) => `${line}\n`).join(''));
  const when = `${addition.atSeconds ?? Date.UTC(2023, 0, 1) / 1000} +0000`;
  const message = addition.message ?? recordDigest(bytes);
  const commit = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${author} ${when}`,
    `committer ${committer} ${when}`,
    '',
    message,
  ].join('\n');
  const commitId = git(path, ['hash-object', '-w', '-t', 'commit', '--stdin'], commit) as CommitId;
  git(path, ['update-ref', `refs/heads/${branchOf(asset(assetId))}`, commitId]);
  for (const tag of addition.tags ?? [record.transactionId]) {
    git(path, ['update-ref', `refs/tags/${tag}`, commitId]);
  }
  return commitId;
}

/** Unpacks every pack. */
function explode(path: string, id: string): string {
  const packs = join(path, 'objects', 'pack');
  const names = existsSync(packs) ? readdirSync(packs) : [];
  for (const name of names.filter((file) => file.endsWith('.pack'))) {
    const aside = join(path, name);
    renameSync(join(packs, name), aside);
    rmSync(join(packs, name.replace(/pack$/, 'idx')));
    git(path, ['unpack-objects', '-q'], readFileSync(aside));
    rmSync(aside);
  }
  return join(path, 'objects', id.slice(0, 2), id.slice(2));
}
