// A claim that a member may make again only after a while: the daily coins, a mint.
import { AppError } from '../shared/errors.ts';
import type { MemberId } from '../shared/ids.ts';
import type { ClaimKind, RollStore } from './ports/roll-store.ts';

const REFUSALS = { daily: 'DAILY_TAKEN', mint: 'MINT_COOLDOWN' } as const satisfies Record<
  ClaimKind,
  string
>;

/**
 * Takes the claim.
 * @returns when it may be taken again, in ms since the epoch.
 * @throws AppError DAILY_TAKEN, MINT_COOLDOWN while the last one is not `pauseMs` ago.
 */
export async function takeClaim(
  rolls: RollStore,
  claim: {
    readonly memberId: MemberId;
    readonly kind: ClaimKind;
    readonly pauseMs: number;
    readonly at: number;
  },
): Promise<number> {
  const { memberId, kind, pauseMs, at } = claim;
  const last = await rolls.findClaim(memberId, kind);
  if (last !== undefined && at < last + pauseMs) {
    const nextAtSeconds = Math.ceil((last + pauseMs) / 1000);
    throw new AppError(REFUSALS[kind], { nextAtSeconds });
  }
  await rolls.setClaim(memberId, kind, at);
  return at + pauseMs;
}
