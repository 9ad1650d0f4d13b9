// Moves every asset that the bot keeps, as the app itself does it, on a data directory whose bot has stopped.
import { v4 as uuidv4 } from 'uuid';
import { Custody, type Delivery } from '../../src/app/custody.ts';
import { makeOwnerIds } from '../../src/app/owner-ids.ts';
import { Settlements } from '../../src/app/settlements.ts';
import type { Config } from '../../src/config.ts';
import { Closers, openCore } from '../../src/core.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { IdempotencyKey, MemberId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';

const PATIENCE_MS = 60_000;
const ASSETS_A_GROUP = 25;

/**
 * Hands every holding to somebody else.
 * @param members two of them at least
 * @returns how many moved, and what did not.
 */
export async function moveEveryHolding(
  config: Config,
  members: readonly string[],
): Promise<{ readonly moved: number; readonly stuck: readonly string[] }> {
  const closers = new Closers();
  try {
    const core = await openCore(config, closers, { logger: silentLogger, ambient: process.env });
    const parts = { ...core, clock: systemClock, logger: silentLogger };
    const ownerIds = makeOwnerIds('pseudonymous', core.vault.deriveKey('owner-ids'));
    const mover = {
      settlements: new Settlements(parts),
      custody: new Custody({ ...parts, ownerIds }),
    };
    const holdings = await core.database.read(({ settlements }) => settlements.listAllHoldings());
    const deliveries = holdings.map(({ assetId, holder }): Delivery => {
      const to = members.find((id) => id !== holder) as MemberId;
      return { assetId, from: holder, to, person: undefined, costGc: 0 };
    });
    const stuck: string[] = [];
    for (let start = 0; start < deliveries.length; start += ASSETS_A_GROUP) {
      const group = deliveries.slice(start, start + ASSETS_A_GROUP);
      const fault = await deliver(mover, group);
      if (fault !== undefined) stuck.push(...group.map(({ assetId }) => `${assetId}: ${fault}`));
    }
    return { moved: deliveries.length - stuck.length, stuck };
  } finally {
    await closers.closeAll();
  }
}

async function deliver(
  { settlements, custody }: { readonly settlements: Settlements; readonly custody: Custody },
  deliveries: readonly Delivery[],
): Promise<string | undefined> {
  try {
    const key = `chaos:${uuidv4()}` as IdempotencyKey;
    const { view } = await settlements.move({ key, kind: 'gift' }, async () => ({
      ...(await custody.plan(deliveries)),
      custody: 'bot',
      prepare: async (stores) => {
        await custody.confirm(stores, deliveries);
        return { answer: null };
      },
    }));
    const { state } = await settlements.wait(view.settlementId, PATIENCE_MS);
    return state === 'settled' ? undefined : state;
  } catch (error) {
    return String(error);
  }
}
