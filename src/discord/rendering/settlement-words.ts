// What a settlement's state is called, and what a member has to know about it.
import type { ErrorCode } from '../../shared/errors.ts';
import type { SettlementView } from '../../app/app.ts';

const STATE_WORD: Readonly<Record<SettlementView['state'], string>> = {
  prepared: 'pending',
  settled: 'committed',
  voided: 'rejected',
};

/** A card's footer: its id, its first transaction in short, and how far it has come. */
export function settlementFooter(settlement: SettlementView): string {
  const [first] = settlement.handOvers;
  const more = settlement.handOvers.length - 1;
  const transaction =
    first === undefined
      ? []
      : [`tx ${first.transactionId.slice(0, 8)}${more > 0 ? ` +${String(more)}` : ''}`];
  // The end of the id: the beginning of a time-ordered UUID is the same for all of a minute.
  return [settlement.settlementId.slice(-8), ...transaction, stateWord(settlement)].join(' · ');
}

/** What moves coins only has nothing on the chain that could be committed. */
function stateWord({ state, handOvers }: SettlementView): string {
  return state === 'settled' && handOvers.length === 0 ? 'settled' : STATE_WORD[state];
}

/** A line about the state; undefined when it is settled and there is nothing to say. */
export function settlementNote(settlement: SettlementView): string | undefined {
  switch (settlement.state) {
    case 'prepared':
      return '⏳ Pending: everything here is reserved until the chain has it. This message will follow; if it does not, see `/inventory`.';
    case 'voided':
      return `❌ ${voidedBecause(settlement.reason)} Nothing moved, and what was reserved is free again. You can try again.`;
    case 'settled':
      return undefined;
  }
}

function voidedBecause(reason: ErrorCode | null): string {
  if (reason === 'CHAIN_ADVANCED') {
    return 'Another transaction for the same asset reached the chain first.';
  }
  if (reason === 'BEACON_UNREACHABLE' || reason === 'BEACON_REFUSED') {
    return 'The beacon did not take it.';
  }
  return reason === null ? 'It was called off.' : `It was called off (${reason}).`;
}
