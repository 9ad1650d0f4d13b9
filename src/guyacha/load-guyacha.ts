// Reads a Guyacha file into assets, cards and banners, or names every fault of it by line and column.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { AppError } from '../shared/errors.ts';
import { guyaCoin, parseGuyaCoin } from '../shared/guya-coin.ts';
import type { GuyaCoin } from '../shared/guya-coin.ts';
import type { AssetId } from '../shared/ids.ts';
import { packageRoot } from '../shared/package-root.ts';
import { MAX_TOTAL_WEIGHT, totalWeightOf } from './banner.ts';
import type { Banner, Card, CatalogueAsset, Entry, Guyacha, HeldBy, Prize } from './banner.ts';
import { GuyachaSource } from './guyacha-source.ts';
import type { DataPath } from './guyacha-source.ts';

/** The most assets of one file, copies counted: what the draw and the lists are measured for. */
const MAX_ASSETS = 100_000;
const MAX_WEIGHT = 1_000_000_000;
const MAX_STOCK = 1_000_000_000;
const MAX_COPIES = 1_000;

const QUOTE_IT = 'must be text; put it in quotes';

const slug = z
  .string(QUOTE_IT)
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and dashes, a dash not first');

// Each is one legal path component of a git ref, and the ids of the first chains (base64 of a URL) are among them.
const assetId = z
  .string(QUOTE_IT)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_=-]{0,149}$/,
    'must be 1 to 150 of A-Z, a-z, 0-9, “_”, “=” and dashes, a letter or digit first',
  )
  .refine((id) => !['well-known', 'common', 'metadata'].includes(id), {
    message: 'is a name that the chain keeps for itself',
  });

const text = z
  .string(QUOTE_IT)
  .min(1, 'must not be empty')
  .max(80, 'must have at most 80 characters')
  .refine((name) => name.isWellFormed() && !/\p{Cc}|\u2028|\u2029/u.test(name), {
    message: 'must be plain text on one line',
  })
  .refine((name) => name.trim() === name, { message: 'must not begin or end with a space' });

const wholeNumber = (max: number) =>
  z
    .int('must be a positive whole number')
    .min(1, 'must be a positive whole number')
    .max(max, `must be at most ${max}`);

const stars = z
  .int('must be a whole number from 1 to 6')
  .min(1, 'must be a whole number from 1 to 6')
  .max(6, 'must be a whole number from 1 to 6');

const AMOUNT_FAULT = 'must be an amount of gc such as 60, 1.2k or 1p 2g';
const amount = z.union([z.string(), z.number()], AMOUNT_FAULT).transform((value, ctx): GuyaCoin => {
  try {
    // Nothing is available here: `all` is refused as zero is.
    return typeof value === 'number' ? guyaCoin(value) : parseGuyaCoin(value, 0);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    ctx.addIssue({ code: 'custom', message: AMOUNT_FAULT });
    return z.NEVER;
  }
});

const instant = z.iso
  .datetime({
    offset: true,
    error: 'must be an instant with its time zone, such as 2026-04-01T00:00:00Z',
  })
  .transform((iso) => Date.parse(iso));

const held = z.enum(['bot', 'open'], { error: 'must be bot or open' });
const list = z.array(z.unknown(), 'must be a list');
const filledList = list.min(1, 'must not be empty');

const FILE = { catalogue: z.unknown().optional(), banners: filledList };
const CATALOGUE = { series: list.nullish(), assets: list.nullish(), cards: list.nullish() };
const SERIES = { id: slug, name: text, held, stars: stars.optional(), assets: filledList };
const SERIES_ASSET = {
  id: assetId,
  name: text,
  stars: stars.optional(),
  copies: wholeNumber(MAX_COPIES).optional(),
};
const ASSET = { id: assetId, name: text, stars, held };
const CARD = { id: slug, name: text, stars };
const BANNER = {
  id: slug,
  name: text,
  price: amount,
  start: instant.optional(),
  end: instant.optional(),
  entries: filledList,
};
const ENTRY = {
  id: slug.optional(),
  name: text.optional(),
  stars: stars.optional(),
  weight: wholeNumber(MAX_WEIGHT),
  stock: wholeNumber(MAX_STOCK).optional(),
  coins: amount.optional(),
  card: z.string(QUOTE_IT).optional(),
  asset: z.string(QUOTE_IT).optional(),
  series: z.string(QUOTE_IT).optional(),
};

/**
 * Reads the text of a Guyacha file; `guyacha.yaml` next to this file says how one is written.
 * @param fileName how the faults name the file
 * @throws AppError CONFIG_INVALID with every fault in `data.faults`, one a line: `name:line:column what is wrong`
 */
export function parseGuyacha(text: string, fileName: string): Guyacha {
  const source = new GuyachaSource(text, fileName);
  source.throwFaults();
  const reading = new Reading(source);
  const { catalogue, banners = [] } = reading.fields(FILE, source.data, []);
  reading.readCatalogue(catalogue ?? {});
  const guyacha = {
    banners: reading.readBanners(banners),
    assets: [...reading.assets.values()],
    cards: [...reading.cards.values()],
  };
  source.throwFaults();
  return guyacha;
}

/**
 * Reads a Guyacha file.
 * @throws AppError CONFIG_INVALID as {@link parseGuyacha}, and when the file cannot be read
 */
export async function loadGuyacha(file: string): Promise<Guyacha> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError(
      'CONFIG_INVALID',
      { faults: `${file} cannot be read: ${reason}` },
      { cause },
    );
  }
  return parseGuyacha(text, file);
}

/**
 * The path of the Guyacha file that comes with the project. It is not copied by the build: there is one, at its place
 * among the sources.
 */
export function shippedGuyachaFile(): string {
  return join(packageRoot(), 'src', 'guyacha', 'guyacha.yaml');
}

type Fields<Shape extends z.core.$ZodShape> = Partial<z.output<z.ZodObject<Shape>>>;

interface Series {
  readonly name: string;
  readonly stars: number;
  readonly held: HeldBy;
  readonly assetIds: readonly AssetId[];
}

const PRIZE_KEYS = ['coins', 'card', 'asset', 'series'] as const;

/**
 * One pass over a file. A faulty field gets a harmless stand-in so that the reading goes on and finds the other faults;
 * nobody sees the stand-ins, because the faults are thrown in their place.
 */
class Reading {
  readonly assets = new Map<string, CatalogueAsset>();
  readonly cards = new Map<string, Card>();
  readonly #series = new Map<string, Series>();
  readonly #source: GuyachaSource;
  #copies = 0;

  constructor(source: GuyachaSource) {
    this.#source = source;
  }

  readCatalogue(value: unknown): void {
    const { series, assets, cards } = this.fields(CATALOGUE, value, ['catalogue']);
    series?.forEach((item, i) => this.#readSeries(item, ['catalogue', 'series', i]));
    assets?.forEach((item, i) => this.#readAsset(item, ['catalogue', 'assets', i]));
    cards?.forEach((item, i) => this.#readCard(item, ['catalogue', 'cards', i]));
  }

  readBanners(banners: readonly unknown[]): readonly Banner[] {
    const ids = new Set<string>();
    return banners.map((item, i) => {
      const path = ['banners', i];
      const banner = this.#readBanner(item, path);
      this.#refuseTaken(ids, banner.bannerId, path);
      ids.add(banner.bannerId);
      return banner;
    });
  }

  /** The sound fields of a mapping; the others, missing and unknown ones are recorded as faults. */
  fields<Shape extends z.core.$ZodShape>(
    shape: Shape,
    value: unknown,
    path: DataPath,
  ): Fields<Shape> {
    const result = z.strictObject(shape, 'must be a mapping').safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) this.#recordIssue(issue, shape, value, path);
    const given = isRecord(value) ? value : {};
    const sound = Object.entries(shape).flatMap(([key, field]) => {
      const read = z.safeParse(field, given[key]);
      return read.success ? [[key, read.data]] : [];
    });
    // Each value was read by the field of its key.
    return Object.fromEntries(sound) as Fields<Shape>;
  }

  #recordIssue(issue: z.core.$ZodIssue, shape: object, value: unknown, path: DataPath): void {
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(shape).join(', ');
      for (const key of issue.keys) {
        this.#source.fault(path, `${keyName(key)} is not known here; known are ${known}`, key);
      }
      return;
    }
    const [key] = issue.path;
    const isMissing = key !== undefined && isRecord(value) && value[String(key)] === undefined;
    const subject = key === undefined ? nameOf(path) : String(key);
    const message = isMissing ? 'is missing' : issue.message;
    this.#source.fault([...path, ...issue.path], `${subject} ${message}`);
  }

  /** Records a fault when the id was used before. */
  #refuseTaken(taken: { has(id: string): boolean }, id: string, path: DataPath): void {
    if (id !== '' && taken.has(id)) this.#source.fault([...path, 'id'], `id ${id} is used twice`);
  }

  #readSeries(value: unknown, path: DataPath): void {
    const fields = this.fields(SERIES, value, path);
    const seriesId = fields.id ?? '';
    const series = { seriesId, series: fields.name ?? '', held: fields.held ?? 'bot' };
    const assets = (fields.assets ?? []).flatMap((item, i) => {
      const assetPath = [...path, 'assets', i];
      const { copies, ...asset } = this.fields(SERIES_ASSET, item, assetPath);
      const assetStars = asset.stars ?? fields.stars;
      if (assetStars === undefined) {
        this.#source.fault(assetPath, 'stars is missing, here and in the series');
      }
      const facts = { id: '', name: '', ...asset, ...series, stars: assetStars ?? 1 };
      return this.#addCopies(facts, copies, assetPath);
    });
    this.#refuseTaken(this.#series, seriesId, path);
    this.#series.set(seriesId, {
      name: series.series,
      stars: fields.stars ?? assets.reduce((most, asset) => Math.max(most, asset.stars), 1),
      held: series.held,
      assetIds: assets.map((asset) => asset.assetId),
    });
  }

  #readAsset(value: unknown, path: DataPath): void {
    const {
      id = '',
      name = '',
      stars: count = 1,
      held: by = 'bot',
    } = this.fields(ASSET, value, path);
    const alone = { seriesId: undefined, series: undefined };
    this.#addAsset({ id, name, stars: count, held: by, ...alone }, path);
  }

  /** `crane` with 3 copies: crane-1, crane-2 and crane-3, named “Crane #1” and so on. */
  #addCopies(asset: AssetFields, copies: number | undefined, path: DataPath): CatalogueAsset[] {
    if (copies === undefined) return [this.#addAsset(asset, path)];
    this.#copies += copies;
    // Copies are counted as they are asked for: those of an id that is used twice are made as well.
    if (this.assets.size + copies > MAX_ASSETS || this.#copies > MAX_ASSETS) {
      this.#source.fault(path, `the catalogue has more than ${MAX_ASSETS} assets, copies counted`);
      return [];
    }
    return Array.from({ length: copies }, (_, i) => {
      const copy = { ...asset, id: `${asset.id}-${i + 1}`, name: `${asset.name} #${i + 1}` };
      return this.#addAsset(copy, path);
    });
  }

  #addAsset({ id, ...facts }: AssetFields, path: DataPath): CatalogueAsset {
    // The chain's own check of ids lies beyond the domain's border; the pattern allows nothing that it refuses.
    const asset = { assetId: id as AssetId, ...facts };
    this.#refuseTaken(this.assets, id, path);
    this.assets.set(asset.assetId, asset);
    return asset;
  }

  #readCard(value: unknown, path: DataPath): void {
    const { id = '', name = '', stars: count = 1 } = this.fields(CARD, value, path);
    this.#refuseTaken(this.cards, id, path);
    this.cards.set(id, { cardId: id, name, stars: count });
  }

  #readBanner(value: unknown, path: DataPath): Banner {
    const fields = this.fields(BANNER, value, path);
    const { start, end } = fields;
    if (start !== undefined && end !== undefined && end <= start) {
      this.#source.fault([...path, 'end'], 'end must be after start');
    }
    const ids = new Set<string>();
    const entries = (fields.entries ?? []).map((item, i) => {
      const entryPath = [...path, 'entries', i];
      const entry = this.#readEntry(item, entryPath);
      this.#refuseTakenEntry(ids, entry.entryId, entryPath);
      ids.add(entry.entryId);
      return entry;
    });
    if (totalWeightOf(entries) > MAX_TOTAL_WEIGHT) {
      this.#source.fault(
        [...path, 'entries'],
        `the weights add up to more than ${MAX_TOTAL_WEIGHT}`,
      );
    }
    return {
      bannerId: fields.id ?? '',
      name: fields.name ?? '',
      startAt: start,
      endAt: end,
      priceGc: fields.price ?? guyaCoin(1),
      entries,
    };
  }

  #refuseTakenEntry(taken: ReadonlySet<string>, id: string, path: DataPath): void {
    if (id === '' || !taken.has(id)) return;
    this.#source.fault(
      [...path, 'id'],
      `id ${id} is used twice in this banner; give one an id of its own`,
    );
  }

  #readEntry(value: unknown, path: DataPath): Entry {
    const fields = this.fields(ENTRY, value, path);
    const given = PRIZE_KEYS.filter((key) => isRecord(value) && value[key] !== undefined);
    if (given.length !== 1 && isRecord(value)) {
      this.#source.fault(path, `an entry gives exactly one of ${PRIZE_KEYS.join(', ')}`);
    }
    const prized = given.length === 1 ? this.#readPrize(fields, path) : undefined;
    return {
      entryId: fields.id ?? prized?.id ?? '',
      name: fields.name ?? prized?.name ?? '',
      stars: fields.stars ?? prized?.stars ?? 1,
      weight: fields.weight ?? 1,
      stock: fields.stock ?? Infinity,
      prize: prized?.prize ?? { kind: 'coins', amountGc: guyaCoin(1) },
    };
  }

  /** The prize, and what the entry is called unless it says otherwise. */
  #readPrize(fields: Fields<typeof ENTRY>, path: DataPath): Prized | undefined {
    if (fields.coins !== undefined) {
      const prize = { kind: 'coins', amountGc: fields.coins } as const;
      return { id: `coins-${fields.coins}`, name: `${fields.coins} gc`, stars: 1, prize };
    }
    if (fields.card !== undefined) return this.#readCardPrize(fields.card, path);
    if (fields.asset !== undefined) return this.#readAssetPrize(fields.asset, path);
    return fields.series === undefined ? undefined : this.#readSeriesPrize(fields.series, path);
  }

  #readCardPrize(cardId: string, path: DataPath): Prized | undefined {
    const card = this.cards.get(cardId);
    if (card === undefined) this.#refuseUnknown('card', path);
    return card && { id: cardId, ...card, prize: { kind: 'card', cardId } };
  }

  #readAssetPrize(id: string, path: DataPath): Prized | undefined {
    const asset = this.assets.get(id);
    if (asset === undefined) this.#refuseUnknown('asset', path);
    else if (asset.held === 'open') this.#refuseOpen('asset', path);
    return asset && { id, ...asset, prize: { kind: 'nfgt', assetIds: [asset.assetId] } };
  }

  #readSeriesPrize(id: string, path: DataPath): Prized | undefined {
    const series = this.#series.get(id);
    if (series === undefined) this.#refuseUnknown('series', path);
    else if (series.held === 'open') this.#refuseOpen('series', path);
    return series && { id, ...series, prize: { kind: 'nfgt', assetIds: series.assetIds } };
  }

  #refuseUnknown(key: string, path: DataPath): void {
    this.#source.fault([...path, key], `${key} is not in the catalogue`);
  }

  #refuseOpen(key: string, path: DataPath): void {
    this.#source.fault(
      [...path, key],
      `${key} is open to everyone's mint and cannot be a prize; make it held: bot`,
    );
  }
}

type AssetFields = Omit<CatalogueAsset, 'assetId'> & { readonly id: string };

interface Prized {
  readonly id: string;
  readonly name: string;
  readonly stars: number;
  readonly prize: Prize;
}

function nameOf(path: DataPath): string {
  const name = path.findLast((step) => typeof step === 'string') ?? 'the file';
  return typeof path.at(-1) === 'number' ? `each of ${name}` : name;
}

/** A key as it can stand in a line of its own. */
function keyName(key: string): string {
  return /^[\w-]{1,60}$/.test(key) ? key : JSON.stringify(key).slice(0, 60);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
