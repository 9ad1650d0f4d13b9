// Every message keeps within Discord's limits, however long the names and however many the assets.
import { describe, expect, test } from '@jest/globals';
import type { RollAnswer, SettlementView, TradeView } from '../../src/app/app.ts';
import { AppError, ERRORS } from '../../src/shared/errors.ts';
import type { ErrorCode } from '../../src/shared/errors.ts';
import type { AssetId, MemberId, TransactionId } from '../../src/shared/ids.ts';
import { assetMessage } from '../../src/discord/rendering/asset-message.ts';
import { faultMessage, refusalMessage } from '../../src/discord/rendering/error-words.ts';
import { helpMessage } from '../../src/discord/rendering/help-message.ts';
import { inventoryMessage, statementMessage } from '../../src/discord/rendering/list-messages.ts';
import { bestNfgt, rollMessage } from '../../src/discord/rendering/roll-message.ts';
import { tradeMessage } from '../../src/discord/rendering/trade-message.ts';
import { messageBody } from '../../src/discord/view.ts';
import type { View } from '../../src/discord/view.ts';

const ADA = '1200000000000000001' as MemberId;
const BEN = '1200000000000000002' as MemberId;
const AWFUL_NAME = '**@everyone** <@&1> _`x`_ https://a.example\n# '.repeat(12).slice(0, 500);
const LONG_ID = 'aHR0cHM6Ly9leGFtcGxl'.repeat(8).slice(0, 150) as AssetId;
const UUID = '0b3d6c7e-0000-4000-8000-000000000000';
const list = { kind: 'inventory', subject: ADA, viewer: BEN };

/** The rules of Discord's that a message can break. */
function expectWithinLimits(view: View): void {
  const { content = '', embeds = [], components = [] } = messageBody(view).body;
  expect(content!.length).toBeLessThanOrEqual(2_000);
  let total = 0;
  for (const { title = '', description = '', fields = [], footer } of embeds!) {
    expect(title.length).toBeLessThanOrEqual(256);
    expect(description.length).toBeLessThanOrEqual(4_096);
    expect(footer?.text.length ?? 0).toBeLessThanOrEqual(2_048);
    for (const { name, value } of fields) {
      expect(value.length).toBeGreaterThan(0);
      expect(value.length).toBeLessThanOrEqual(1_024);
      total += name.length + value.length;
    }
    total += title.length + description.length + (footer?.text.length ?? 0);
  }
  expect(total).toBeLessThanOrEqual(6_000);
  const ids = (components as { components: { custom_id: string }[] }[]).flatMap((row) => {
    expect(row.components.length).toBeLessThanOrEqual(5);
    return row.components.map(({ custom_id }) => custom_id);
  });
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id.length).toBeLessThanOrEqual(100);
}

const textOf = (view: View): string => JSON.stringify(messageBody(view).body);

const settlementOf = (
  state: SettlementView['state'],
  assets: readonly AssetId[] = [],
): SettlementView => ({
  settlementId: UUID as SettlementView['settlementId'],
  kind: 'roll',
  state,
  reason: state === 'voided' ? 'CHAIN_ADVANCED' : null,
  tradeId: null,
  handOvers: assets.map((assetId, index) => ({
    transactionId: `${String(index).padStart(8, '0')}${UUID.slice(8)}` as TransactionId,
    assetId,
    from: ADA,
    to: BEN,
    toOwnerId: 'owner' as never,
  })),
});

const factsOf = (
  assetId: AssetId,
  name = AWFUL_NAME,
): { assetId: AssetId; name: string; stars: number; series: string } => ({
  assetId,
  name,
  stars: 6,
  series: AWFUL_NAME,
});

function fullTrade(state: TradeView['trade']['state']): TradeView {
  const ids = Array.from(
    { length: 50 },
    (_, index) => `${LONG_ID.slice(0, 146)}${String(index)}` as AssetId,
  );
  const side = (
    memberId: MemberId,
    assets: readonly AssetId[],
  ): TradeView['trade']['sides'][0] => ({
    memberId,
    assets,
    coinsGc: 999_999_999_999,
    locked: true,
    confirmed: false,
  });
  return {
    trade: {
      tradeId: 'K7Q2XZ' as TradeView['trade']['tradeId'],
      state,
      version: 4_000_000_000,
      sides: [side(ADA, ids.slice(0, 25)), side(BEN, ids.slice(25))],
      settlementId: null,
      createdAt: 0,
      expiresAt: 900_000,
    },
    assets: new Map(ids.map((id) => [id, factsOf(id)])),
    window: undefined,
    settlement: state === 'open' ? undefined : settlementOf('settled', ids),
  };
}

const awfulRoll = (state: SettlementView['state']): RollAnswer => ({
  settlement: settlementOf(state, [LONG_ID]),
  bannerName: AWFUL_NAME,
  priceGc: 600,
  draws: Array.from({ length: 10 }, (_, index) => ({
    entryId: 'x',
    name: AWFUL_NAME,
    stars: index % 7,
    prize: {
      kind: 'nfgt',
      asset: { ...factsOf(LONG_ID), stars: index % 7 },
      transactionId: UUID as TransactionId,
    },
    rerolledFrom: Array.from({ length: 40 }, () => AWFUL_NAME),
  })),
});

describe('a message with the longest content', () => {
  test.each(['open', 'settling', 'settled', 'cancelled', 'expired', 'failed'] as const)(
    'keeps within the limits as the window of a trade that is %s',
    (state) => {
      const view = tradeMessage(fullTrade(state));
      expectWithinLimits(view);
      expect(textOf(view)).not.toContain('@everyone');
    },
  );

  test('shows all 25 assets of each side of a trade', () => {
    const view = tradeMessage(fullTrade('settled'));
    expect(textOf(view)).not.toContain('more');
    expect(textOf(view).match(/tx `/g)).toHaveLength(50);
  });

  test.each(['prepared', 'settled', 'voided'] as const)(
    'keeps within the limits as a roll that is %s',
    (state) => {
      const view = rollMessage(awfulRoll(state), Buffer.from('x'));
      expectWithinLimits(view);
      expect(textOf(view)).not.toContain('@everyone');
    },
  );

  test('keeps within the limits as a page of an inventory with a thousand kinds of cards', () => {
    const assets = Array.from({ length: 10 }, () => ({
      ...factsOf(LONG_ID),
      obtainedAt: 1,
      status: 'reserved' as const,
    }));
    const cards = Array.from({ length: 1_000 }, () => ({
      cardId: 'c',
      count: 3,
      name: AWFUL_NAME,
      stars: 2,
    }));
    const inventory = { assets, total: 1_000, page: 50, pages: 100, cards };
    expectWithinLimits(inventoryMessage(list, inventory));
  });

  test('keeps within the limits as a card of an asset of a stranger', () => {
    const view = assetMessage(
      {
        ...factsOf(LONG_ID),
        holder: undefined,
        ownerId: AWFUL_NAME.repeat(4),
        transactionId: UUID as TransactionId,
        chainLength: 12,
        transactionTime: 1,
        commitId: 'a'.repeat(64),
        status: 'outside',
      },
      Buffer.from('x'),
    );
    expectWithinLimits(view);
    expect(textOf(view)).toContain('attachment://nfgt.png');
  });

  test('keeps within the limits as a statement of the largest amounts', () => {
    const line = {
      changeGc: -999_999_999_999,
      balanceAfterGc: 999_999_999_999,
      code: 'payment',
      createdAt: 1,
      debitAccount: `member:${ADA}`,
      creditAccount: `member:${BEN}`,
    };
    const statement = {
      lines: Array.from({ length: 10 }, () => line) as never,
      balanceGc: 1,
      page: 1,
      pages: 1,
    };
    const view = statementMessage(list, statement);
    expectWithinLimits(view);
    expect(textOf(view)).toContain(`to <@${BEN}>`);
  });

  test('keeps within the limits as help with a hundred banners', () => {
    const banners = Array.from({ length: 100 }, () => ({
      bannerId: 'b',
      name: AWFUL_NAME,
      priceGc: 60,
      endsAt: 1,
    }));
    const catalogue = Array.from({ length: 100 }, () => ({
      name: 'x'.repeat(32),
      description: 'y'.repeat(100),
    }));
    expectWithinLimits(helpMessage(catalogue, banners));
  });
});

describe('a roll', () => {
  test('shows the picture of the NFGT with the most stars', () => {
    expect(bestNfgt(awfulRoll('settled').draws)?.stars).toBe(6);
    expect(bestNfgt([])).toBeUndefined();
  });

  test('tells what was rerolled and that it is not billed', () => {
    expect(textOf(rollMessage(awfulRoll('settled'), undefined))).toContain('rerolled, not billed');
  });
});

describe('the words for an error', () => {
  test.each(Object.keys(ERRORS) as ErrorCode[])('fit a message for %s', (errorCode) => {
    const view = refusalMessage(
      new AppError(errorCode, { assetId: AWFUL_NAME, reason: AWFUL_NAME }),
    );
    expectWithinLimits(view);
    expect(view.content).not.toContain('@everyone');
  });

  test('keep the mentions and the times that the app put in', () => {
    const busy = refusalMessage(new AppError('TRADE_BUSY', { who: `<@${ADA}>`, tradeId: 'K7Q2' }));
    expect(busy.content).toContain(`<@${ADA}> already`);
    const taken = refusalMessage(new AppError('DAILY_TAKEN', { nextAtSeconds: 1_700_000_000 }));
    expect(taken.content).toContain('<t:1700000000:R>');
  });

  test('claim nothing about what moved when something broke', () => {
    const { content = '' } = faultMessage('7F3A');
    expect(content).toContain('ref 7F3A');
    expect(content).toContain('`/statement`');
    expect(content).not.toMatch(/nothing (moved|was)/i);
  });
});
