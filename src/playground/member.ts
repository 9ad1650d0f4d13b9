// A member's hands: each act is checked as Discord's client checks it and goes out as an interaction.
import { ClientRefusal } from './api.ts';
import type {
  AutocompleteInput,
  CommandInput,
  Exchange,
  MemberDriver,
  ModalFields,
  ModalHandle,
} from './api.ts';
import { fillCommand } from './command-input.ts';
import type { Seat } from './command-input.ts';
import { walkComponents } from './component-form.ts';
import { LiveExchange } from './exchange.ts';
import type { ExchangeBook } from './exchange-book.ts';
import { Resolved, buildInteraction } from './interactions.ts';
import { checkSelection, fillModal } from './modal-input.ts';
import { COMPONENT, INTERACTION, LINK_BUTTON } from './wire.ts';
import type { WireComponent, WireMessage } from './wire.ts';
import type { World } from './world.ts';

const SELECTS: readonly number[] = [
  COMPONENT.stringSelect,
  COMPONENT.userSelect,
  COMPONENT.roleSelect,
  COMPONENT.mentionableSelect,
  COMPONENT.channelSelect,
];

/** What a member needs to reach the bot. */
export interface Line {
  world: World;
  book: ExchangeBook;
  /** Sends an event to every bot that is on the gateway. */
  dispatch: (event: string, data: unknown) => void;
}

interface Sending {
  kind: Exchange['kind'];
  data: Record<string, unknown>;
  message?: WireMessage | undefined;
  commandName?: string;
}

/** Acts as one member in one channel. */
export class Member implements MemberDriver {
  readonly memberId: string;
  readonly #seat: Seat;
  readonly #line: Line;

  constructor(line: Line, seat: Seat) {
    const { world } = line;
    if (!world.members.has(seat.memberId)) {
      throw new ClientRefusal(`There is no member ${seat.memberId}`);
    }
    const channel = world.channels.get(seat.channelId);
    const mine = channel?.recipients?.some(({ id }) => id === seat.memberId) ?? true;
    if (channel === undefined || !mine) {
      throw new ClientRefusal(`The member sees no channel ${seat.channelId}`);
    }
    this.memberId = seat.memberId;
    this.#seat = seat;
    this.#line = line;
  }

  command(name: string, input: CommandInput = {}): Exchange {
    const { data, shownName } = fillCommand(this.#line.world, this.#seat, name, {
      ...(input.subcommand === undefined ? {} : { subcommand: input.subcommand }),
      ...(input.group === undefined ? {} : { group: input.group }),
      ...(input.options === undefined ? {} : { options: input.options }),
    });
    return this.#send({ kind: 'command', data, commandName: shownName });
  }

  autocomplete(name: string, input: AutocompleteInput): Exchange {
    const { data } = fillCommand(this.#line.world, this.#seat, name, input);
    return this.#send({ kind: 'autocomplete', data });
  }

  click(message: { id: string }, customId: string): Exchange {
    const current = this.#seen(message.id);
    return this.#click(current, findComponent(current, customId));
  }

  clickStale(message: WireMessage, customId: string): Exchange {
    return this.#click(this.#seen(message.id), findComponent(message, customId));
  }

  select(message: { id: string }, customId: string, values: readonly string[]): Exchange {
    const current = this.#seen(message.id);
    const component = findComponent(current, customId);
    if (!SELECTS.includes(component.type)) throw new ClientRefusal(`"${customId}" is no select`);
    const resolved = new Resolved(this.#line.world, this.memberId);
    checkSelection(component, values, component.min_values ?? 1, resolved);
    const data = { ...componentData(component), values, ...resolved.asPart() };
    return this.#send({ kind: 'component', data, message: current });
  }

  submitModal(modal: ModalHandle, fields: ModalFields): Exchange {
    const { exchange } = modal;
    if (exchange.memberId !== this.memberId) {
      throw new ClientRefusal('The modal is on another member’s screen');
    }
    if (!(exchange instanceof LiveExchange) || exchange.modalTaken()) {
      throw new ClientRefusal('The modal has been sent off already');
    }
    const data = fillModal(this.#line.world, this.#seat, modal, fields);
    const message = this.#line.world.findMessage(exchange.sourceMessageId ?? '')?.wire;
    const submission = this.#send({ kind: 'modal', data, message });
    exchange.submission = submission;
    return submission;
  }

  messages(): readonly WireMessage[] {
    return this.#line.world
      .messagesOf(this.#seat.channelId)
      .filter(({ viewerId }) => viewerId === null || viewerId === this.memberId)
      .map(({ wire }) => wire);
  }

  #click(current: WireMessage, component: WireComponent): Exchange {
    const name = component.custom_id ?? '';
    if (component.type !== COMPONENT.button) throw new ClientRefusal(`"${name}" is no button`);
    if (component.style === LINK_BUTTON) throw new ClientRefusal('A link sends nothing to the bot');
    return this.#send({ kind: 'component', data: componentData(component), message: current });
  }

  /** The message as it stands, if this member sees it. */
  #seen(messageId: string): WireMessage {
    const stored = this.#line.world.findMessage(messageId);
    const visible = stored?.viewerId === null || stored?.viewerId === this.memberId;
    if (stored === undefined || !visible || stored.wire.channel_id !== this.#seat.channelId) {
      throw new ClientRefusal(`The member sees no message ${messageId} here`);
    }
    return stored.wire;
  }

  #send({ kind, data, message, commandName }: Sending): LiveExchange {
    const { world, book, dispatch } = this.#line;
    const id = world.ids.next();
    const token = book.makeToken(id);
    const { memberId, channelId } = this.#seat;
    const type = INTERACTION[kind];
    const payload = buildInteraction(world, {
      id,
      token,
      type,
      memberId,
      channelId,
      data,
      message,
    });
    const exchange = book.open({
      id,
      token,
      kind,
      memberId,
      channelId,
      payload,
      sourceMessageId: message?.id,
      commandName,
    });
    dispatch('INTERACTION_CREATE', payload);
    return exchange;
  }
}

function componentData(component: WireComponent): Record<string, unknown> {
  return { id: component.id, custom_id: component.custom_id, component_type: component.type };
}

function findComponent(message: WireMessage, customId: string): WireComponent {
  for (const { component } of walkComponents(message.components)) {
    if (component.custom_id !== customId) continue;
    if (component.disabled === true) throw new ClientRefusal(`"${customId}" is disabled`);
    return component;
  }
  throw new ClientRefusal(`The message has no component "${customId}"`);
}
