// What a Guyacha file says once it is read: the assets and cards that the project knows, and the banners that give them.
import type { GuyaCoin } from '../shared/guya-coin.ts';
import type { AssetId } from '../shared/ids.ts';

/** `bot`: the bot mints it to itself as prize stock; `open`: members mint it with `/mint`. */
export type HeldBy = 'bot' | 'open';

export interface CatalogueAsset {
  readonly assetId: AssetId;
  readonly name: string;
  /** 1 to 6. */
  readonly stars: number;
  /** Undefined for an asset that stands alone. */
  readonly seriesId: string | undefined;
  /** The series's name as people read it. */
  readonly series: string | undefined;
  readonly held: HeldBy;
}

/** A collectable that lives in the database only; a member may own many of one kind. */
export interface Card {
  readonly cardId: string;
  readonly name: string;
  /** 1 to 6. */
  readonly stars: number;
}

/** What an entry gives; an NFGT is one of `assetIds`, whichever the bot still owns. */
export type Prize =
  | { readonly kind: 'coins'; readonly amountGc: GuyaCoin }
  | { readonly kind: 'card'; readonly cardId: string }
  | { readonly kind: 'nfgt'; readonly assetIds: readonly AssetId[] };

/** A row of a banner's roll table. */
export interface Entry {
  /** Unique within its banner; wins are counted under it, so it stays when the file is edited. */
  readonly entryId: string;
  readonly name: string;
  /** 1 to 6. */
  readonly stars: number;
  /** A positive whole number; the entry's chance is this over the sum of the table. */
  readonly weight: number;
  /** How often it can be won over the banner's life; Infinity without a limit. */
  readonly stock: number;
  readonly prize: Prize;
}

export interface Banner {
  readonly bannerId: string;
  readonly name: string;
  /** ms since the epoch, inclusive; undefined for always. */
  readonly startAt: number | undefined;
  /** ms since the epoch, exclusive; undefined for never. */
  readonly endAt: number | undefined;
  /** Price of one roll. */
  readonly priceGc: GuyaCoin;
  /** Never empty. */
  readonly entries: readonly Entry[];
}

export interface Guyacha {
  readonly assets: readonly CatalogueAsset[];
  readonly cards: readonly Card[];
  /** In the file's order. */
  readonly banners: readonly Banner[];
}

/** True while members may roll the banner; `now` in ms since the epoch. */
export function isOpen(banner: Banner, now: number): boolean {
  return (banner.startAt ?? -Infinity) <= now && now < (banner.endAt ?? Infinity);
}

/** The largest sum of a banner's weights: a ticket of this range can be drawn without bias. */
export const MAX_TOTAL_WEIGHT = 1_000_000_000_000;

/** The sum of the entries' weights. */
export function totalWeightOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entry.weight, 0);
}
