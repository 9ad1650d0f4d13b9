// Ids of transfers that follow from what they are for, so that a repeat is the same transfer, never a second one.
import { v5 as uuidV5 } from 'uuid';
import type { HoldId, SettlementId, TransferId } from '../shared/ids.ts';

/** The namespace of these ids. It must never change: the ids of all past transfers hang on it. */
const NAMESPACE = '7a1c6f0e-3f0d-4c55-9b57-5d7a0a6b9f11';

/**
 * The id of a transfer within a settlement.
 * @param role what the transfer does there, for example `payout`.
 * @param position 0, 1, … among the settlement's transfers of this role.
 */
export function transferIdOf(
  settlementId: SettlementId,
  role: string,
  position: number,
): TransferId {
  return nameBased(['settlement', settlementId, role, position]);
}

/** The id of the transfer that opens a hold, or of the only one that can close it. */
export function holdTransferId(holdId: HoldId, role: 'placed' | 'closed'): TransferId {
  return nameBased(['hold', holdId, role]);
}

// JSON keeps the parts apart: no two different lists of parts ever give the same name.
function nameBased(parts: readonly (string | number)[]): TransferId {
  return uuidV5(JSON.stringify(parts), NAMESPACE) as TransferId;
}
