// What the program knows of assets besides the chain: names, stars and pictures from the Guyacha file.
import { renderArtwork, renderUnknownArtwork } from '../guyacha/artwork.ts';
import {
  isOpen,
  type Banner,
  type Card,
  type CatalogueAsset,
  type Guyacha,
} from '../guyacha/banner.ts';
import type { AssetId } from '../shared/ids.ts';
import type { App, AssetChoice, AssetFacts } from './app.ts';

/** Discord's limit of an autocomplete choice, in characters. */
const MAX_LABEL = 100;
export const MAX_CHOICES = 25;

export class Catalogue {
  readonly #assets: ReadonlyMap<AssetId, CatalogueAsset>;
  readonly #cards: ReadonlyMap<string, Card>;
  readonly #banners: readonly Banner[];

  constructor(guyacha: Guyacha) {
    this.#assets = new Map(guyacha.assets.map((asset) => [asset.assetId, asset]));
    this.#cards = new Map(guyacha.cards.map((card) => [card.cardId, card]));
    this.#banners = guyacha.banners;
  }

  /** A card that the file no longer names keeps its id as its name. */
  cardFacts(cardId: string): { readonly name: string; readonly stars: number } {
    return this.#cards.get(cardId) ?? { name: cardId, stars: 0 };
  }

  /** What members may roll; `now` in ms since the epoch. */
  listOpenBanners(now: number): ReturnType<App['listBanners']> {
    return this.#banners
      .filter((banner) => isOpen(banner, now))
      .map(({ bannerId, name, priceGc, endAt }) => ({ bannerId, name, priceGc, endsAt: endAt }));
  }

  /** Known facts, or for an asset of someone else's chain what its id says. */
  factsOf(assetId: AssetId): AssetFacts {
    const known = this.#assets.get(assetId);
    return known === undefined
      ? { assetId, name: shortName(assetId), stars: 0, series: undefined }
      : { assetId, name: known.name, stars: known.stars, series: known.series };
  }

  /** A PNG that the project makes itself. */
  pictureOf(assetId: AssetId): Buffer {
    const known = this.#assets.get(assetId);
    return known === undefined ? renderUnknownArtwork(assetId) : renderArtwork(known);
  }

  list(held: CatalogueAsset['held']): readonly CatalogueAsset[] {
    return [...this.#assets.values()].filter((asset) => asset.held === held);
  }

  find(assetId: AssetId): CatalogueAsset | undefined {
    return this.#assets.get(assetId);
  }

  /** True when the text, ignoring case, is part of the asset's id or name. */
  matches(assetId: AssetId, text: string): boolean {
    const wanted = text.trim().toLowerCase();
    const { name } = this.factsOf(assetId);
    return assetId.toLowerCase().includes(wanted) || name.toLowerCase().includes(wanted);
  }

  choiceOf(assetId: AssetId): AssetChoice {
    const { name, stars } = this.factsOf(assetId);
    const label = stars === 0 ? name : `${name} ${'★'.repeat(stars)} · ${assetId}`;
    const isLong = label.length > MAX_LABEL;
    return { assetId, label: isLong ? `${label.slice(0, MAX_LABEL - 1)}…` : label };
  }

  /** The first 25 that match. */
  choices(assetIds: Iterable<AssetId>, text: string): readonly AssetChoice[] {
    const choices: AssetChoice[] = [];
    for (const assetId of assetIds) {
      if (choices.length === MAX_CHOICES) break;
      if (this.matches(assetId, text)) choices.push(this.choiceOf(assetId));
    }
    return choices;
  }
}

/** Ids of older chains are base64 of a picture's address: its last parts say more than the letters. */
function shortName(assetId: AssetId): string {
  const decoded = Buffer.from(assetId, 'base64url').toString('utf8');
  const isAddress = /^https?:\/\/[\x21-\x7e]+$/.test(decoded);
  return isAddress ? decoded.split('/').slice(-2).join('/') : assetId;
}
