// Programs that use the API in a chaos run: each creates until it knows the answer, and keeps its passphrases itself.
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningApi } from '../cli/node-process.ts';

const POLL_MS = 100;
const RETRY_MS = 150;

/** Which node; asked at each try, for it may have been started anew. */
type Api = () => RunningApi;

interface Created {
  readonly transactionId: string;
  readonly passphrase: string;
}

/** What the node said in the end about a transaction that it had answered for. */
export interface Outcome {
  readonly transactionId: string;
  readonly assetId: string;
  readonly committed: boolean;
}

export class Callers {
  readonly #bot: Api;
  readonly #validator: Api;
  /** The passphrase of each asset's newest committed transaction. */
  readonly #passphrases = new Map<string, string>();
  readonly outcomes: Outcome[] = [];
  #count = 0;
  #lives: Promise<unknown> | undefined;
  #isOver = false;

  constructor(bot: Api, validator: Api) {
    this.#bot = bot;
    this.#validator = validator;
  }

  start(): void {
    this.#isOver = false;
    this.#lives = Promise.all([this.#moveOwn(), this.#race()]);
    // Told by `pause`, which waits for it.
    this.#lives.catch(() => undefined);
  }

  /** Waits until every answer is known and begins nothing more; both nodes have to run. */
  async pause(): Promise<void> {
    this.#isOver = true;
    await this.#lives;
  }

  /** Moves every asset that a caller has the passphrase of. @returns what could not be moved. */
  async moveAll(): Promise<{ readonly moved: number; readonly stuck: string[] }> {
    const stuck: string[] = [];
    let moved = 0;
    for (const [assetId, passphrase] of this.#passphrases) {
      const isMoved = await this.#create(this.#validator, assetId, passphrase);
      if (isMoved) moved += 1;
      else stuck.push(`${assetId} could not be moved with its passphrase`);
    }
    return { moved, stuck };
  }

  /** One program mints an asset through the second validator and hands it on with each passphrase that it gets. */
  async #moveOwn(): Promise<void> {
    while (!this.#isOver) {
      const assetId = `own-${this.#count % 12}`;
      this.#count += 1;
      await this.#create(this.#validator, assetId, this.#passphrases.get(assetId));
      await delay(POLL_MS);
    }
  }

  /** Two programs want the same new asset at once, one through the bot and one through the second validator. */
  async #race(): Promise<void> {
    while (!this.#isOver) {
      this.#count += 1;
      const assetId = `race-${this.#count}`;
      const winners = await Promise.all(
        [this.#bot, this.#validator].map((api) => this.#create(api, assetId, undefined)),
      );
      if (winners.every(Boolean)) throw new Error(`${assetId} was minted twice`);
      await delay(5 * POLL_MS);
    }
  }

  /** @returns whether it was committed in the end. */
  async #create(api: Api, assetId: string, passphrase: string | undefined): Promise<boolean> {
    this.#count += 1;
    const body = {
      asset_id: assetId,
      owner_id: `owner-${this.#count}`,
      metadata: { count: this.#count },
      ...(passphrase !== undefined && { passphrase }),
    };
    const created = await createSurely(api, body, `chaos-${this.#count}`);
    if (created === undefined) return false;
    const { transactionId } = created;
    const committed = await endOf(api, transactionId);
    this.outcomes.push({ transactionId, assetId, committed });
    if (committed) this.#passphrases.set(assetId, created.passphrase);
    return committed;
  }
}

/** Repeats the same request until its answer arrives. @returns undefined when it is a refusal. */
async function createSurely(api: Api, body: object, key: string): Promise<Created | undefined> {
  for (;;) {
    const answer = await api()
      .create({ ...body }, key)
      .catch(() => undefined);
    if (answer?.status === 200) {
      const made = answer.body['transaction'] as Record<string, string>;
      return {
        transactionId: made['transaction_id'] ?? '',
        passphrase: made['successor_passphrase'] ?? '',
      };
    }
    if (answer !== undefined && answer.status < 500 && answer.status !== 429) return undefined;
    await delay(RETRY_MS);
  }
}

async function endOf(api: Api, transactionId: string): Promise<boolean> {
  for (;;) {
    const answer = await api()
      .get(`/api/transaction/status/${transactionId}`)
      .catch(() => undefined);
    if (answer?.body['committed'] === true) return true;
    if (answer?.body['rejected'] === true) return false;
    await delay(POLL_MS);
  }
}
