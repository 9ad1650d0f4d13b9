// Proof of succession: a hand-over commits to the predecessor passphrase, which is revealed once it is spent.
import { createHash } from 'node:crypto';
import type { AssetId, TransactionId } from '../shared/ids.ts';
import type { ReservedFiles } from './beacon.ts';

/** A spent passphrase, and the transaction that it let through. */
export interface Reveal {
  readonly transactionId: TransactionId;
  readonly assetId: AssetId;
  readonly predecessorPassphrase: string;
}

/** A file takes no more reveals than fit; the next file follows. */
const MAX_PROOF_FILE_BYTES = 64 * 1024;
const MAX_BROKEN_LINES = 100;
const PROOF_FILE = /^proofs\/([\w.@+-]+)\/(\d{1,9})\.jsonl$/;

/**
 * What a hand-over's record commits to: lowercase hex of SHA-512, bound to this one transaction, so that it tells nothing
 * of a passphrase that cannot be guessed and can be copied into no other record.
 */
export function predecessorProof(transactionId: TransactionId, passphrase: string): string {
  const text = `nfgt-proof:1:${transactionId}:${passphrase}`;
  return createHash('sha512').update(text, 'utf8').digest('hex');
}

/** The number of a validator's file of reveals; undefined for every other path. */
export function proofFileNumber(path: string, validatorId: string): number | undefined {
  const [, id, number] = PROOF_FILE.exec(path) ?? [];
  return id === validatorId ? Number(number) : undefined;
}

/** True for any validator's file of reveals. */
export function isProofFile(path: string): boolean {
  return PROOF_FILE.test(path);
}

/**
 * Appends reveals to a validator's files; those that stand there already are left out.
 * @returns the files that change, and the number of the one that takes the next reveal.
 */
export function addReveals(
  files: ReservedFiles['files'],
  validatorId: string,
  reveals: readonly Reveal[],
): { readonly files: ReadonlyMap<string, Buffer>; readonly lastFile: number } {
  const own = [...files].flatMap(([path, content]) => {
    const number = proofFileNumber(path, validatorId);
    return number === undefined ? [] : [{ number, content }];
  });
  const known = new Set(
    own.flatMap(({ content }) => parseReveals(content).map(({ transactionId }) => transactionId)),
  );
  let number = own.reduce((last, file) => Math.max(last, file.number), 0);
  const last = own.find((file) => file.number === number);
  // A file that is there and was not read, or not to its end, is left alone.
  if (last !== undefined && !isReadable(last.content)) number += 1;
  let content = last?.number === number ? (last.content ?? Buffer.alloc(0)) : Buffer.alloc(0);
  const changed = new Map<string, Buffer>();
  for (const reveal of reveals) {
    if (known.has(reveal.transactionId)) continue;
    const line = encodeReveal(reveal);
    if (content.length > 0 && content.length + line.length > MAX_PROOF_FILE_BYTES) {
      number += 1;
      content = Buffer.alloc(0);
    }
    // A file that somebody else has left without its last line break must not swallow the line.
    const isCut = content.length > 0 && content.at(-1) !== 0x0a;
    content = Buffer.concat([content, Buffer.from(isCut ? '\n' : ''), line]);
    changed.set(`proofs/${validatorId}/${number}.jsonl`, content);
  }
  return { files: changed, lastFile: number };
}

function isReadable(content: Buffer | undefined): boolean {
  if (content === undefined) return false;
  const broken = parseRevealLines(content).filter((line) => line === undefined);
  return broken.length < MAX_BROKEN_LINES;
}

function encodeReveal({ transactionId, assetId, predecessorPassphrase }: Reveal): Buffer {
  const line = {
    transaction_id: transactionId,
    asset_id: assetId,
    predecessor_passphrase: predecessorPassphrase,
  };
  return Buffer.from(`${JSON.stringify(line)}\n`);
}

/** Reads a file of reveals; lines of any other form are left out. */
export function parseReveals(content: Buffer | undefined): Reveal[] {
  return content === undefined
    ? []
    : parseRevealLines(content).filter((line) => line !== undefined);
}

/**
 * Reads a file of reveals line by line; undefined stands for a line of any other form. A file with a hundred of those is
 * not read on: nothing that takes so long to refuse is worth the time, and a megabyte may hold a million lines.
 */
export function parseRevealLines(content: Buffer): (Reveal | undefined)[] {
  const lines = content.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const read: (Reveal | undefined)[] = [];
  let broken = 0;
  for (const line of lines) {
    const reveal = parseReveal(line);
    read.push(reveal);
    if (reveal === undefined) broken += 1;
    if (broken === MAX_BROKEN_LINES) break;
  }
  return read;
}

function parseReveal(line: string): Reveal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const { transaction_id: id, asset_id: asset, predecessor_passphrase: passphrase } = fields;
  if (typeof id !== 'string' || typeof asset !== 'string' || typeof passphrase !== 'string') {
    return undefined;
  }
  return {
    transactionId: id as TransactionId,
    assetId: asset as AssetId,
    predecessorPassphrase: passphrase,
  };
}
