// The bot's answers to an interaction: the first one, then edits, deletions and follow-ups.
import * as z from 'zod';
import { checkTogether, modalForm } from './component-form.ts';
import type { LiveExchange } from './exchange.ts';
import type { ExchangeBook } from './exchange-book.ts';
import { list, optional, readForm, text } from './form.ts';
import { LIMIT } from './limits.ts';
import { PING_USERS, createMessage, createThinking, editMessage } from './messages.ts';
import type { MessagePlace, MessageRequest } from './messages.ts';
import { DiscordRefusal, FormErrors, refuse } from './refusals.ts';
import { CALLBACK, FLAG, INTERACTION } from './wire.ts';
import type { WireInteractionMetadata, WireMessage, WireModal } from './wire.ts';
import type { StoredMessage, World } from './world.ts';
import type { UploadedFile } from './files.ts';

const CHAT_INPUT_REPLY = 20;
const REPLY = 19;

const choiceList = z.object({
  choices: list(
    z.object({
      name: text(LIMIT.choiceName, 1),
      value: z.union([text(LIMIT.choiceValue), z.number()]),
      name_localizations: optional(z.record(z.string(), z.string())),
    }),
    LIMIT.choices,
  ),
});
const callbackForm = z.object({ type: z.int(), data: z.unknown().optional() });

/** A request to answer an interaction. */
export interface CallbackRequest {
  body: unknown;
  files: readonly UploadedFile[];
}

/** What Discord returns for a first answer when asked with `with_response`. */
export interface CallbackResult {
  interaction: {
    id: string;
    type: number;
    response_message_id?: string;
    response_message_loading?: boolean;
    response_message_ephemeral?: boolean;
    channel_id: string;
    guild_id?: string;
  };
  resource?: { type: number; message?: WireMessage };
}

/** The bot's side of the exchanges. */
export class Callbacks {
  readonly #world: World;
  readonly #book: ExchangeBook;

  constructor(world: World, book: ExchangeBook) {
    this.#world = world;
    this.#book = book;
  }

  /** The first answer. */
  respond(id: string, token: string, request: CallbackRequest): CallbackResult {
    const exchange = this.#book.forCallback(id, token);
    const errors = new FormErrors();
    const form = readForm(callbackForm, request.body, errors);
    if (form === undefined) throw errors.refusal();
    const types = allowedTypes(exchange);
    if (!types.includes(form.type)) {
      errors.add(['type'], 'BASE_TYPE_CHOICES', `Value must be one of {${types.join(', ')}}.`);
      throw errors.refusal();
    }
    const message = this.#apply(exchange, form.type, form.data ?? {}, request.files);
    return this.#result(exchange, form.type, message);
  }

  #apply(
    exchange: LiveExchange,
    type: number,
    data: unknown,
    files: readonly UploadedFile[],
  ): WireMessage | undefined {
    const request = { body: data, files, prefix: ['data'] };
    switch (type) {
      case CALLBACK.message:
        return this.#reply(exchange, request);
      case CALLBACK.deferredMessage:
        return this.#defer(exchange, data);
      case CALLBACK.deferredUpdate:
        this.#book.watchReply(exchange, exchange.sourceMessageId ?? '');
        exchange.answer({ kind: 'deferred-update' });
        return undefined;
      case CALLBACK.update:
        return this.#update(exchange, request);
      case CALLBACK.choices:
        this.#choose(exchange, data);
        return undefined;
      default:
        this.#open(exchange, data);
        return undefined;
    }
  }

  #reply(exchange: LiveExchange, request: MessageRequest): WireMessage {
    const place = this.#place(exchange, isEphemeral(request.body), 'original');
    const { wire } = createMessage(this.#world, request, place);
    this.#book.watchReply(exchange, wire.id);
    exchange.noteReply(wire);
    exchange.answer({ kind: 'message', message: wire });
    return wire;
  }

  #defer(exchange: LiveExchange, data: unknown): WireMessage {
    const ephemeral = isEphemeral(data);
    const { wire } = createThinking(this.#world, this.#place(exchange, ephemeral, 'original'));
    this.#book.watchReply(exchange, wire.id);
    exchange.noteReply(wire);
    exchange.answer({ kind: 'deferred', ephemeral });
    return wire;
  }

  #update(exchange: LiveExchange, request: MessageRequest): WireMessage {
    const source = this.#world.findMessage(exchange.sourceMessageId ?? '');
    if (source === undefined) throw refuse.unknownMessage();
    const { wire } = editMessage(this.#world, request, source);
    this.#book.watchReply(exchange, wire.id);
    exchange.noteReply(wire);
    exchange.answer({ kind: 'update', message: wire });
    return wire;
  }

  #choose(exchange: LiveExchange, data: unknown): void {
    const errors = new FormErrors(['data']);
    const form = readForm(choiceList, data, errors);
    if (form === undefined) throw errors.refusal();
    exchange.answer({ kind: 'choices', choices: form.choices });
  }

  #open(exchange: LiveExchange, data: unknown): void {
    const errors = new FormErrors(['data']);
    const form: WireModal | undefined = readForm(modalForm, data, errors);
    if (form !== undefined) checkTogether(form.components, errors);
    if (form === undefined || !errors.empty) throw errors.refusal();
    exchange.answer({ kind: 'modal', modal: { ...form, exchange } });
  }

  /** The reply, for a read. */
  getMessage(applicationId: string, token: string, messageId: string): WireMessage {
    const exchange = this.#book.forWebhook(applicationId, token);
    return this.#own(exchange, messageId).wire;
  }

  /** Changes the reply or a follow-up. */
  edit(
    applicationId: string,
    token: string,
    messageId: string,
    request: MessageRequest,
  ): WireMessage {
    const exchange = this.#book.forWebhook(applicationId, token);
    const stored = this.#own(exchange, messageId);
    return editMessage(this.#world, request, stored).wire;
  }

  /** Takes the reply or a follow-up away. */
  delete(applicationId: string, token: string, messageId: string): void {
    const exchange = this.#book.forWebhook(applicationId, token);
    const { wire } = this.#own(exchange, messageId);
    this.#world.deleteMessage(wire.id);
  }

  /** A further message; straight after a deferral it fills the deferred one, as at Discord. */
  followUp(applicationId: string, token: string, request: MessageRequest): WireMessage {
    const exchange = this.#book.forWebhook(applicationId, token);
    const original = this.#world.findMessage(exchange.originalId ?? '');
    if (original !== undefined && (original.wire.flags & FLAG.loading) !== 0) {
      return this.edit(applicationId, token, '@original', request);
    }
    if (exchange.followUpIds.length >= LIMIT.followUpMessages) {
      throw new DiscordRefusal(400, 40094, 'Too many follow-up messages for this interaction');
    }
    const place = this.#place(exchange, isEphemeral(request.body), 'follow-up');
    const { wire } = createMessage(this.#world, request, place);
    exchange.followUpIds.push(wire.id);
    this.#book.watch(exchange, wire.id);
    exchange.touch();
    return wire;
  }

  /** A message that this exchange's token may touch. */
  #own(exchange: LiveExchange, messageId: string): StoredMessage {
    const id = messageId === '@original' ? exchange.originalId : messageId;
    const mine = id === exchange.originalId || exchange.followUpIds.includes(id ?? '');
    const source = id !== undefined && id === exchange.sourceMessageId;
    const stored = mine || source ? this.#world.findMessage(id ?? '') : undefined;
    if (stored === undefined) throw refuse.unknownMessage();
    return stored;
  }

  #place(exchange: LiveExchange, ephemeral: boolean, as: 'original' | 'follow-up'): MessagePlace {
    const replyTo = as === 'follow-up' ? exchange.originalId : exchange.sourceMessageId;
    const world = this.#world;
    const guild = exchange.payload['guild_id'] === undefined ? {} : { guild_id: world.guildId };
    const metadata = metadataOf(world, exchange);
    if (as === 'follow-up' && exchange.originalId !== undefined) {
      metadata.original_response_message_id = exchange.originalId;
    }
    const reference = { type: 0, channel_id: exchange.channelId, ...guild };
    const { user } = metadata;
    return {
      channelId: exchange.channelId,
      type: replyTo === undefined ? CHAT_INPUT_REPLY : REPLY,
      viewerId: ephemeral ? exchange.memberId : null,
      defaultMentions: PING_USERS,
      extra: {
        application_id: world.applicationId,
        webhook_id: world.applicationId,
        interaction_metadata: metadata,
        ...(exchange.commandName === undefined
          ? {}
          : { interaction: { id: exchange.id, type: 2, name: exchange.commandName, user } }),
        ...(replyTo === undefined
          ? {}
          : { message_reference: { ...reference, message_id: replyTo } }),
      },
    };
  }

  #result(exchange: LiveExchange, type: number, message: WireMessage | undefined): CallbackResult {
    const inGuild = exchange.payload['guild_id'] !== undefined;
    const interaction: CallbackResult['interaction'] = {
      id: exchange.id,
      type: Number(exchange.payload['type']),
      channel_id: exchange.channelId,
      ...(inGuild ? { guild_id: this.#world.guildId } : {}),
    };
    if (message !== undefined) {
      interaction.response_message_id = message.id;
      interaction.response_message_loading = (message.flags & FLAG.loading) !== 0;
      interaction.response_message_ephemeral = (message.flags & FLAG.ephemeral) !== 0;
    }
    const shows = type === CALLBACK.message || type === CALLBACK.update;
    if (message !== undefined && shows) return { interaction, resource: { type, message } };
    return { interaction };
  }
}

function isEphemeral(data: unknown): boolean {
  const { flags } = Object(data) as { flags?: unknown };
  return typeof flags === 'number' && (flags & FLAG.ephemeral) !== 0;
}

/** The kinds of first answer that Discord takes for an interaction. */
function allowedTypes(exchange: LiveExchange): readonly number[] {
  const { message, deferredMessage, deferredUpdate, update, choices, modal } = CALLBACK;
  switch (exchange.kind) {
    case 'autocomplete':
      return [choices];
    case 'command':
      return [message, deferredMessage, modal];
    case 'component':
      return [message, deferredMessage, deferredUpdate, update, modal];
    case 'modal':
      return exchange.sourceMessageId === undefined
        ? [message, deferredMessage]
        : [message, deferredMessage, deferredUpdate, update];
  }
}

function metadataOf(world: World, exchange: LiveExchange): WireInteractionMetadata {
  const member = world.members.get(exchange.memberId);
  if (member === undefined) throw refuse.unknownMember();
  const type = { ...INTERACTION }[exchange.kind];
  const owner = exchange.payload['guild_id'] === undefined ? '0' : world.guildId;
  return {
    id: exchange.id,
    type,
    user: member.user,
    authorizing_integration_owners: { '0': owner },
    ...(exchange.sourceMessageId === undefined
      ? {}
      : { interacted_message_id: exchange.sourceMessageId }),
  };
}
