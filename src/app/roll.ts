// Use case: a member pays for rolls; the draws, the price and the prizes are one settlement.
import { v5 as uuidv5 } from 'uuid';
import type { Banner, Guyacha } from '../guyacha/banner.ts';
import { isOpen } from '../guyacha/banner.ts';
import { drawMany, type Availability, type Draw } from '../guyacha/draw.ts';
import type { Randomness } from '../guyacha/randomness.ts';
import { BANK, memberAccount } from '../ledger/ledger-store.ts';
import { pay } from '../ledger/posting.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { guyaCoin, type GuyaCoin } from '../shared/guya-coin.ts';
import type { AssetId, HoldId, MemberId, TransactionId } from '../shared/ids.ts';
import type { App, Person, RollAnswer, RolledDraw } from './app.ts';
import type { Catalogue } from './catalogue.ts';
import type { Custody, Delivery } from './custody.ts';
import type { Database, Stores } from './ports/database.ts';
import type { SettlementEffects } from './ports/settlement-store.ts';
import type { MovementPlan, Preparation, Settlements } from './settlements.ts';

export interface RollParts {
  readonly settlements: Settlements;
  readonly custody: Custody;
  readonly catalogue: Catalogue;
  readonly database: Database;
  readonly guyacha: Guyacha;
  readonly randomness: Randomness;
  readonly clock: Clock;
}

type StoredAnswer = Omit<RollAnswer, 'settlement'>;

/** The most rolls of one request, as the command offers it. */
const MAX_ROLLS_AT_ONCE = 10;
/** The most rolls that may stand in line; more are refused at once, so that those who wait are served in seconds. */
const MAX_ROLLS_IN_LINE = 200;
/** A roll that stood in line for longer is refused: its member has given it up, and those behind it wait as well. */
const MAX_IN_LINE_MS = 8_000;
/** The most assets of the bot that one draw chooses from. */
const MAX_STOCK = 100_000;

export function makeRoll(parts: RollParts): App['roll'] {
  let lastRoll: Promise<unknown> = Promise.resolve();
  let inLine = 0;
  return async (request) => {
    const { count } = request;
    if (!Number.isSafeInteger(count) || count < 1 || count > MAX_ROLLS_AT_ONCE) {
      const reason = `one request rolls 1 to ${MAX_ROLLS_AT_ONCE} times`;
      throw new AppError('INPUT_INVALID', { reason });
    }
    if (inLine >= MAX_ROLLS_IN_LINE) throw new AppError('QUEUE_FULL');
    inLine += 1;
    // One after another: no two rolls may draw the same asset or the last of a stock.
    const refusedFrom = performance.now() + MAX_IN_LINE_MS;
    const roll = lastRoll
      .then(() => rollOnce(parts, request, refusedFrom))
      .finally(() => (inLine -= 1));
    lastRoll = roll.catch(() => undefined);
    return await roll;
  };
}

type RollRequest = Parameters<App['roll']>[0];

async function rollOnce(
  parts: RollParts,
  { key, member, count, bannerId }: RollRequest,
  refusedFrom: number,
): Promise<RollAnswer> {
  const { view, answer } = await parts.settlements.move({ key, kind: 'roll' }, () => {
    if (performance.now() > refusedFrom) throw new AppError('QUEUE_FULL');
    return planRoll(parts, { member, count, bannerId });
  });
  return { settlement: view, ...answer };
}

async function planRoll(
  parts: RollParts,
  { member, count, bannerId }: Omit<RollRequest, 'key'>,
): Promise<MovementPlan<StoredAnswer>> {
  const { settlements, custody, database, randomness } = parts;
  settlements.freezes.refuse({ kind: 'roll', drafts: [] });
  const banner = findBanner(parts, bannerId);
  const priceGc = guyaCoin(banner.priceGc * count);
  const availability = await database.read((stores) =>
    readAvailability(stores, banner, settlements.freezes),
  );
  const draws = drawMany(banner, count, availability, randomness);
  const deliveries = deliver(draws, member, banner.priceGc);
  return {
    ...(await custody.plan(deliveries)),
    custody: 'bot',
    prepare: async (stores, preparation) => {
      const { settlementId, transactionIds, at } = preparation;
      await custody.confirm(stores, deliveries);
      const captures = await charge(stores, member.memberId, priceGc, preparation);
      await stores.rolls.insertRolls(
        draws.map(({ entry }, position) => ({
          settlementId,
          position,
          memberId: member.memberId,
          bannerId: banner.bannerId,
          entryId: entry.entryId,
          createdAt: at,
        })),
      );
      const rolled = draws.map((draw) => describe(draw, parts.catalogue, transactionIds));
      return {
        effects: { captures, ...prizesOf(draws, member.memberId) },
        answer: { bannerName: banner.name, priceGc, draws: rolled },
      };
    },
  };
}

function findBanner({ guyacha, clock }: RollParts, bannerId: string | undefined): Banner {
  const now = clock.now();
  const banner = guyacha.banners.find((each) =>
    bannerId === undefined ? isOpen(each, now) : each.bannerId === bannerId,
  );
  if (banner === undefined) throw new AppError('BANNER_NOT_FOUND');
  if (!isOpen(banner, now)) throw new AppError('BANNER_CLOSED', { banner: banner.name });
  return banner;
}

async function readAvailability(
  { settlements, rolls }: Stores,
  banner: Banner,
  freezes: Settlements['freezes'],
): Promise<Availability> {
  const wins = await rolls.countWins(banner.bannerId);
  const held = await settlements.listFreeHoldings('bot', MAX_STOCK);
  const free = new Set<AssetId>(held.map(({ assetId }) => assetId));
  return {
    stockLeft: ({ entryId, stock }) => stock - (wins.get(entryId) ?? 0),
    // A roll must not be refused for what it drew: then only those who win a token would try again for nothing.
    isFree: (assetId) => free.has(assetId) && !freezes.isFrozen(assetId),
  };
}

function deliver(draws: readonly Draw[], member: Person, costGc: number): readonly Delivery[] {
  return draws.flatMap(({ prize }) =>
    prize.kind === 'nfgt'
      ? [{ assetId: prize.assetId, from: 'bot', to: member.memberId, person: member, costGc }]
      : [],
  );
}

/**
 * Without a hand-over the price is paid at once; with one it is held until the chain has decided.
 * @throws AppError INSUFFICIENT_FUNDS
 */
async function charge(
  { ledger }: Stores,
  memberId: MemberId,
  amountGc: GuyaCoin,
  { settlementId, transactionIds, at }: Preparation,
): Promise<SettlementEffects['captures']> {
  const accountId = memberAccount(memberId);
  const code = 'roll-price';
  if (transactionIds.size === 0) {
    await pay(ledger, { from: accountId, to: BANK, amountGc, code, settlementId, position: 0, at });
    return [];
  }
  const holdId = uuidv5(accountId, settlementId) as HoldId;
  const hold = { holdId, accountId, amountGc, settlementId, placedAt: at };
  await ledger.placeHold(hold, code);
  return [{ holdId, creditAccount: BANK, code }];
}

function prizesOf(
  draws: readonly Draw[],
  memberId: MemberId,
): Pick<SettlementEffects, 'payouts' | 'cards'> {
  return {
    payouts: draws.flatMap(({ prize }) =>
      prize.kind === 'coins'
        ? [{ creditAccount: memberAccount(memberId), amountGc: prize.amountGc, code: 'roll-prize' }]
        : [],
    ),
    cards: draws.flatMap(({ prize }) =>
      prize.kind === 'card' ? [{ memberId, cardId: prize.cardId }] : [],
    ),
  };
}

function describe(
  { entry, prize, rerolledFrom }: Draw,
  catalogue: Catalogue,
  transactionIds: ReadonlyMap<AssetId, TransactionId>,
): RolledDraw {
  return {
    entryId: entry.entryId,
    name: entry.name,
    stars: entry.stars,
    prize: prize.kind === 'nfgt' ? describeAsset(prize.assetId, catalogue, transactionIds) : prize,
    rerolledFrom: rerolledFrom.map(({ name }) => name),
  };
}

function describeAsset(
  assetId: AssetId,
  catalogue: Catalogue,
  transactionIds: ReadonlyMap<AssetId, TransactionId>,
): RolledDraw['prize'] {
  const transactionId = transactionIds.get(assetId);
  if (transactionId === undefined) throw new Error(`no transaction was made for ${assetId}`);
  return { kind: 'nfgt', asset: catalogue.factsOf(assetId), transactionId };
}
