// The pure draw: picks entries of a banner by their published weights, and again where the prize is gone.
import { AppError } from '../shared/errors.ts';
import type { AssetId } from '../shared/ids.ts';
import { totalWeightOf } from './banner.ts';
import type { Banner, Entry, Prize } from './banner.ts';
import type { Randomness } from './randomness.ts';

/** What a draw gives: always one thing. */
type DrawnPrize =
  | { readonly kind: 'coins'; readonly amountGc: number }
  | { readonly kind: 'card'; readonly cardId: string }
  | { readonly kind: 'nfgt'; readonly assetId: AssetId };

export interface Draw {
  readonly entry: Entry;
  readonly prize: DrawnPrize;
  /** The entries drawn first whose prize was gone, in order; told to the member, never billed. */
  readonly rerolledFrom: readonly Entry[];
}

/** What is still there when a batch of draws begins; the batch itself keeps count of what it gives. */
export interface Availability {
  /** How often the entry can still be won; Infinity without a limit. */
  stockLeft(entry: Entry): number;
  /** True for an asset that the bot owns and that nothing has reserved. */
  isFree(assetId: AssetId): boolean;
}

/** How often the full table is drawn again before the draw keeps to the entries that can give. */
export const MAX_REROLLS = 10;

/**
 * Draws once by the published weights.
 * @throws AppError NO_PRIZE_LEFT when no entry of the banner can give anything
 */
export function drawOnce(banner: Banner, availability: Availability, randomness: Randomness): Draw {
  return pickWhatIsLeft(banner, new Batch(availability), randomness);
}

/**
 * Draws `count` times at the same odds as one at a time; no asset is given twice and no stock exceeded.
 * @throws AppError NO_PRIZE_LEFT when the banner runs dry before the last draw
 */
export function drawMany(
  banner: Banner,
  count: number,
  availability: Availability,
  randomness: Randomness,
): readonly Draw[] {
  const batch = new Batch(availability);
  return Array.from({ length: count }, () => {
    const draw = pickWhatIsLeft(banner, batch, randomness);
    batch.take(draw);
    return draw;
  });
}

function pickWhatIsLeft(banner: Banner, batch: Batch, randomness: Randomness): Draw {
  const rerolledFrom: Entry[] = [];
  while (rerolledFrom.length < MAX_REROLLS) {
    const entry = pickByWeight(banner.entries, randomness);
    const prize = batch.findPrize(entry, randomness);
    if (prize !== undefined) return { entry, prize, rerolledFrom };
    rerolledFrom.push(entry);
  }
  // Drawing again until something is there gives each entry that can give its weight over the sum of theirs: this is
  // the same pick, made at once.
  const givers = banner.entries.filter((entry) => batch.canGive(entry));
  if (givers.length === 0) throw new AppError('NO_PRIZE_LEFT', { banner: banner.name });
  const entry = pickByWeight(givers, randomness);
  const prize = batch.findPrize(entry, randomness);
  if (prize === undefined) throw new Error(`Entry ${entry.entryId} can give and gave nothing`);
  return { entry, prize, rerolledFrom };
}

function pickByWeight(entries: readonly Entry[], randomness: Randomness): Entry {
  let ticket = randomness.uniformInt(totalWeightOf(entries));
  for (const entry of entries) {
    if (ticket < entry.weight) return entry;
    ticket -= entry.weight;
  }
  throw new RangeError('The ticket lies beyond the table');
}

/** What is left while a batch of draws gives things away. */
class Batch {
  readonly #before: Availability;
  readonly #given = new Set<AssetId>();
  readonly #won = new Map<string, number>();

  constructor(before: Availability) {
    this.#before = before;
  }

  take(draw: Draw): void {
    const { entryId } = draw.entry;
    this.#won.set(entryId, (this.#won.get(entryId) ?? 0) + 1);
    if (draw.prize.kind === 'nfgt') this.#given.add(draw.prize.assetId);
  }

  canGive(entry: Entry): boolean {
    const { prize } = entry;
    return this.#hasStock(entry) && (prize.kind !== 'nfgt' || this.#freeAssets(prize).length > 0);
  }

  /** Each free asset of a series is equally likely. Undefined when nothing is left. */
  findPrize(entry: Entry, randomness: Randomness): DrawnPrize | undefined {
    const { prize } = entry;
    if (!this.#hasStock(entry)) return undefined;
    if (prize.kind !== 'nfgt') return prize;
    const free = this.#freeAssets(prize);
    const assetId = free.length > 0 ? free[randomness.uniformInt(free.length)] : undefined;
    return assetId === undefined ? undefined : { kind: 'nfgt', assetId };
  }

  #hasStock(entry: Entry): boolean {
    return this.#before.stockLeft(entry) > (this.#won.get(entry.entryId) ?? 0);
  }

  #freeAssets(prize: Extract<Prize, { kind: 'nfgt' }>): readonly AssetId[] {
    return prize.assetIds.filter((id) => !this.#given.has(id) && this.#before.isFree(id));
  }
}
