// Publishes what a validator says on the reserved branch: who it is, and passphrases that are spent. Never in the way of
// a transaction: what fails is logged and tried again.
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import type { AssetId, TransactionId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { Beacon } from './beacon.ts';
import type { ChainIndex } from './chain-index.ts';
import type { NodeDatabase, SealedReveal } from './journal-store.ts';
import { addReveals, proofFileNumber, type Reveal } from './proofs.ts';
import { hashPassphrase } from './succession.ts';
import {
  MAX_WELL_KNOWN_BYTES,
  NODE_FILE,
  presentValidator,
  SIGNERS_FILE,
  type ValidatorEntry,
} from './well-known.ts';

/** Keeps a spent passphrase unreadable in the journal until it is published. */
export interface Sealer {
  seal(passphrase: string, sealedFor: SealedFor): Buffer;
  /** @throws AppError when the bytes were altered or belong to another transaction. */
  open(sealed: Buffer, sealedFor: SealedFor): string;
}

interface SealedFor {
  readonly assetId: AssetId;
  readonly transactionId: TransactionId;
}

export interface PublisherOptions {
  readonly beacon: Beacon;
  readonly index: Pick<ChainIndex, 'findTransaction' | 'listAssetHistory' | 'hasTipWithHash'>;
  readonly database: NodeDatabase;
  readonly sealer: Sealer;
  readonly entry: ValidatorEntry;
  /** False for an observer, and while the chain is rewritten: nothing is published then. */
  readonly mayWrite: () => Promise<boolean>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often spent passphrases are looked for; a minute by default. */
  readonly intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 60_000;
/** How many passphrases one commit reveals; the next ones follow at once. */
const MAX_REVEALS = 500;
/** How often a publication is tried anew because another validator was quicker. */
const MAX_TRIES = 8;
/** A stop does not wait longer for the last publication; the next start makes it. */
const CLOSE_LIMIT_MS = 5_000;

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #stopping = new AbortController();
  readonly #loop: Promise<void>;
  #isPresented = false;
  /** Own files of proofs before this one are full, and were read. */
  #firstProofFile = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#loop = this.#repeat();
  }

  /** Publishes what is still to be published, within a few seconds, and stops. */
  async close(): Promise<void> {
    this.#stopping.abort();
    const patience = new AbortController();
    const last = this.#loop.then(() => this.#publishPatiently());
    const { signal } = patience;
    await Promise.race([last, delay(CLOSE_LIMIT_MS, undefined, { signal }).catch(() => undefined)]);
    patience.abort();
  }

  async #repeat(): Promise<void> {
    const { intervalMs = DEFAULT_INTERVAL_MS } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#publishPatiently();
      await delay(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #publishPatiently(): Promise<void> {
    try {
      while (await this.#publish()) {
        // A full batch: the next one goes at once.
      }
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'publishing on the reserved branch failed');
    }
  }

  /** @returns true when there is more to publish. */
  async #publish(): Promise<boolean> {
    const { database, mayWrite } = this.#options;
    if (!(await mayWrite())) return false;
    const waiting = await database.read(({ journal }) => journal.listReveals(MAX_REVEALS));
    const reveals = waiting.flatMap((sealed) => this.#open(sealed) ?? []);
    if (this.#isPresented && reveals.length === 0) return false;
    await this.#write(reveals);
    this.#isPresented = true;
    const published = reveals.map(({ transactionId }) => transactionId);
    await database.transaction(({ journal }) => journal.removeReveals(published));
    return waiting.length === MAX_REVEALS && reveals.length > 0;
  }

  /**
   * Opens a passphrase if it is spent beyond doubt: its transaction stands on the chain as we wrote it, the predecessor's
   * hash is this passphrase's, and no asset that we know of answers to it any more.
   */
  #open({ transactionId, assetId, record, sealed }: SealedReveal): Reveal | undefined {
    const { index, sealer } = this.#options;
    const committed = index.findTransaction(transactionId);
    if (committed?.record.equals(record) !== true || committed.assetId !== assetId)
      return undefined;
    const predecessorPassphrase = sealer.open(sealed, { assetId, transactionId });
    const hash = hashPassphrase(predecessorPassphrase);
    const predecessor = index
      .listAssetHistory(assetId, Number.MAX_SAFE_INTEGER)
      .find(({ position }) => position === committed.position - 1);
    if (predecessor?.successorHash !== hash || index.hasTipWithHash(hash)) return undefined;
    return { transactionId, assetId, predecessorPassphrase };
  }

  /** Merges into what stands on the branch, as often as another validator is quicker. */
  async #write(reveals: readonly Reveal[]): Promise<void> {
    const { beacon, entry, clock } = this.#options;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const { tip, files } = await beacon.readReserved(
        MAX_WELL_KNOWN_BYTES,
        (path) =>
          path === NODE_FILE ||
          path === SIGNERS_FILE ||
          (proofFileNumber(path, entry.id) ?? -1) >= this.#firstProofFile,
      );
      const proofs = addReveals(files, entry.id, reveals);
      const changed = new Map([...presentValidator(files, entry), ...proofs.files]);
      if (changed.size > 0) {
        const outcome = await beacon.writeReserved({
          basedOn: tip,
          files: changed,
          message:
            reveals.length > 0 ? `Reveal ${reveals.length} passphrases` : 'Present a validator',
          committer: entry.id,
          commitTimeSeconds: Math.floor(clock.now() / 1000),
        });
        if (outcome === 'stale') continue;
      }
      this.#firstProofFile = proofs.lastFile;
      return;
    }
    throw new AppError('BEACON_REFUSED', { reason: 'others keep writing to the reserved branch' });
  }
}
