// The recovery journal: a second copy of every successor passphrase, in a file that may lie on another disk.
import { createHash, type KeyObject } from 'node:crypto';
import { copyFile, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../shared/errors.ts';
import type { TransactionId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { enclose } from './aead.ts';
import { syncFolder } from './key-file.ts';
import { decodeLine, encodeLine, type RecoveryEntry } from './recovery-entry.ts';
import type { Vault } from './vault.ts';

const OWNER_ONLY = 0o600;
const TITLE = 'aibot-recovery-journal 1';
/** The most groups that share one line, and with it one flush. */
const MAX_GROUPS_A_LINE = 64;
/** Entries of one line after a compaction. */
const ENTRIES_A_LINE = 256;

/** Named points of a compaction, in order; the crash tests kill the process at each. */
export const COMPACTION_STEPS = ['compacted-copy-written', 'compacted-copy-placed'] as const;
type CompactionStep = (typeof COMPACTION_STEPS)[number];

/** What a recovery journal holds. */
export interface RecoveryContents {
  /** The newest of each transaction, oldest first. */
  readonly entries: readonly RecoveryEntry[];
  /** Up to here the file is sound; what follows is a record that a crash has torn. */
  readonly soundBytes: number;
  readonly isTorn: boolean;
  /** 1-based numbers of lines, not the last one, that do not open. */
  readonly damagedLines: readonly number[];
}

/** The first line of this vault's journals: another vault's journal is never mistaken for one's own. */
function headerOf(key: KeyObject): string {
  const digest = createHash('sha256').update('recovery-journal').update(key.export()).digest('hex');
  return `${TITLE} ${digest.slice(0, 16)}`;
}

const keyOf = (vault: Vault): KeyObject => enclose(vault.deriveKey('recovery-journal'));

/**
 * Reads a recovery journal and changes nothing.
 * @returns undefined when there is no such file, or an empty one.
 * @throws AppError RECOVERY_JOURNAL_UNUSABLE when the file is something else, or another vault's journal.
 */
export async function readRecoveryJournal(
  file: string,
  vault: Vault,
): Promise<RecoveryContents | undefined> {
  return await readSealed(file, keyOf(vault));
}

async function readSealed(file: string, key: KeyObject): Promise<RecoveryContents | undefined> {
  const bytes = await readIfPresent(file);
  if (bytes === undefined || bytes.length === 0) return undefined;
  const header = headerOf(key);
  const headerEnd = bytes.indexOf('\n');
  if (bytes.toString('utf8', 0, Math.max(headerEnd, 0)) !== header) {
    const isJournal = bytes.toString('utf8', 0, TITLE.length) === TITLE;
    const reason = isJournal ? 'another vault wrote it' : 'it is something else';
    throw new AppError('RECOVERY_JOURNAL_UNUSABLE', { file, reason });
  }
  return readLines(bytes, headerEnd + 1, key);
}

function readLines(bytes: Buffer, start: number, key: KeyObject): RecoveryContents {
  const entries = new Map<TransactionId, RecoveryEntry>();
  const damagedLines: number[] = [];
  let soundBytes = start;
  for (let line = 2; soundBytes < bytes.length; line += 1) {
    const end = bytes.indexOf('\n', soundBytes);
    const decoded =
      end === -1 ? 'damaged' : decodeLine(key, bytes.toString('latin1', soundBytes, end));
    if (typeof decoded === 'string') {
      // One record at a time is written and flushed: only the last one can be half there.
      if (decoded === 'damaged' && (end === -1 || end === bytes.length - 1)) break;
      damagedLines.push(line);
    } else {
      for (const entry of decoded) entries.set(entry.transactionId, entry);
    }
    soundBytes = end + 1;
  }
  const isTorn = soundBytes < bytes.length;
  return { entries: [...entries.values()], soundBytes, isTorn, damagedLines };
}

/** An append that waits for its flush. */
interface Waiting {
  readonly entries: readonly RecoveryEntry[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface RecoveryJournalOptions {
  readonly file: string;
  readonly vault: Vault;
  readonly logger: Logger;
}

/** An open recovery journal. */
export class RecoveryJournal {
  readonly file: string;
  readonly #key: KeyObject;
  readonly #logger: Logger;
  readonly #waiting: Waiting[] = [];
  /** Undefined after a failure: what is in the file is then looked at before anything is added. */
  #handle: FileHandle | undefined;
  /** Where the next record begins. */
  #size = 0;
  #running: Promise<void> | undefined;
  #isWritable = true;

  constructor({ file, vault, logger }: RecoveryJournalOptions) {
    this.file = file;
    this.#key = keyOf(vault);
    this.#logger = logger;
  }

  /** False once a write has failed, until one succeeds. */
  get isWritable(): boolean {
    return this.#isWritable;
  }

  /** What the file holds; empty when it is not there. @throws AppError RECOVERY_JOURNAL_UNUSABLE */
  async read(): Promise<RecoveryContents> {
    const contents = await readSealed(this.file, this.#key);
    return contents ?? { entries: [], soundBytes: 0, isTorn: false, damagedLines: [] };
  }

  /**
   * Writes entries; those that wait meanwhile share the next record and its flush.
   * @throws AppError RECOVERY_JOURNAL_UNWRITABLE; nothing of them counts then.
   */
  async append(entries: readonly RecoveryEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ entries, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Never throws: what goes wrong is the answer of those whom it concerns. */
  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MAX_GROUPS_A_LINE);
      try {
        await this.#write(
          encodeLine(
            this.#key,
            group.flatMap(({ entries }) => entries),
          ),
        );
        this.#isWritable = true;
        for (const { resolve } of group) resolve();
      } catch (error) {
        this.#isWritable = false;
        await this.#letGo();
        const refusal = this.#refusalOf(error);
        this.#logger.error({ err: refusal }, 'the recovery journal cannot be written');
        for (const { reject } of group) reject(refusal);
      }
    }
    this.#running = undefined;
  }

  async #write(line: string): Promise<void> {
    const handle = this.#handle ?? (await this.#takeUp());
    // A file that was deleted or whose disk is gone takes bytes without a murmur.
    if ((await handle.stat()).nlink === 0) throw new Error('the file was deleted');
    const bytes = Buffer.from(line, 'latin1');
    for (let done = 0; done < bytes.length;) {
      const at = this.#size + done;
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at);
      done += bytesWritten;
    }
    await handle.datasync();
    this.#size += bytes.length;
  }

  /** Opens the file behind its last sound record. */
  async #takeUp(): Promise<FileHandle> {
    const { soundBytes, isTorn } = await this.read();
    if (soundBytes === 0) throw new Error('the file is not there; the next start makes it anew');
    const handle = await open(this.file, 'r+');
    this.#handle = handle;
    this.#size = soundBytes;
    if (isTorn) await handle.truncate(soundBytes);
    return handle;
  }

  async #letGo(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // The failure that led here is what is told; a close that fails as well says nothing new.
    await handle?.close().catch(() => undefined);
  }

  /**
   * Writes the file anew with these entries and puts it in its place whole; what it held before and could not be read
   * is kept beside it.
   * @throws AppError RECOVERY_JOURNAL_UNWRITABLE; the file is then as it was.
   */
  async rewrite(
    entries: readonly RecoveryEntry[],
    atStep: (step: CompactionStep) => void = () => undefined,
  ): Promise<void> {
    await this.#running;
    const draft = `${this.file}.new`;
    try {
      await this.#keepDamaged();
      await writeDurably(draft, this.#linesOf(entries));
      atStep('compacted-copy-written');
      await rename(draft, this.file);
      await syncFolder(dirname(this.file));
      atStep('compacted-copy-placed');
    } catch (error) {
      // What is told is why it failed, not that its half-written copy could not be removed either.
      await rm(draft, { force: true }).catch(() => undefined);
      throw this.#refusalOf(error);
    } finally {
      await this.#letGo();
    }
  }

  /** @throws AppError RECOVERY_JOURNAL_UNUSABLE as it is, RECOVERY_JOURNAL_UNWRITABLE for anything else. */
  #refusalOf(error: unknown): AppError {
    if (error instanceof AppError) return error;
    const reason = error instanceof Error ? error.message : String(error);
    const { file } = this;
    return new AppError('RECOVERY_JOURNAL_UNWRITABLE', { file, reason }, { cause: error });
  }

  async #keepDamaged(): Promise<void> {
    const { damagedLines } = await this.read();
    if (damagedLines.length === 0) return;
    const kept = `${this.file}.damaged-${Date.now()}`;
    await copyFile(this.file, kept);
    const facts = { file: this.file, kept, lines: damagedLines };
    this.#logger.error(facts, 'the recovery journal is damaged; the damaged file is kept');
  }

  #linesOf(entries: readonly RecoveryEntry[]): string {
    const lines = [`${headerOf(this.#key)}\n`];
    for (let start = 0; start < entries.length; start += ENTRIES_A_LINE) {
      lines.push(encodeLine(this.#key, entries.slice(start, start + ENTRIES_A_LINE)));
    }
    return lines.join('');
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#letGo();
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', OWNER_ONLY);
  try {
    await handle.chmod(OWNER_ONLY);
    await handle.writeFile(text, 'latin1');
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new AppError('RECOVERY_JOURNAL_UNUSABLE', { file, reason: message }, { cause: error });
  }
}
