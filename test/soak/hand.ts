// What a flow has in its hands: members who act at the load's pace, and those around them.
import type {
  AutocompleteInput,
  CommandInput,
  Exchange,
  ModalFields,
  ModalHandle,
} from '../../src/playground/api.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import type { Chance } from './chance.ts';
import type { Verb } from './told.ts';
import type { TradeBook } from './trade-book.ts';

/** A member who acts at the load's pace: each act waits for its turn. */
export interface Hand {
  readonly memberId: string;
  command(name: string, input?: CommandInput, verb?: Verb): Promise<Exchange>;
  autocomplete(name: string, input: AutocompleteInput): Promise<readonly string[]>;
  click(message: WireMessage, customId: string): Promise<Exchange>;
  submit(modal: ModalHandle, fields: ModalFields): Promise<Exchange>;
}

/** What a flow works with. */
export interface Crowd {
  readonly chance: Chance;
  readonly trades: TradeBook;
  /** Anyone but this one. */
  readonly other: (memberId: string) => Hand;
  /** The message that the exchange shows, once it does; undefined when it does not come to that in time. */
  shown(exchange: Exchange): Promise<WireMessage | undefined>;
}
