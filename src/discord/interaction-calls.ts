// Every request that answers an interaction, sent through a REST instance of its own.
//
// Why an own instance: discord.js allows itself 50 requests a second in all, and counts each edit, follow-up and deletion
// of an interaction's answer, though Discord exempts interaction webhooks from its global limit. Through `client.rest` a
// bot that edits its answers is held at 50 commands a second while members look at "thinking…". These routes need no bot
// token either (the interaction's token is in the path), so a refused answer can never make the client forget its token.
import { InteractionResponseType, MessageFlags, REST, Routes } from 'discord.js';
import type {
  APIApplicationCommandOptionChoice,
  APIMessage,
  APIModalInteractionResponseCallbackData,
  RESTPostAPIInteractionCallbackWithResponseResult,
} from 'discord.js';
import { Agent } from 'undici';
import type { MessageBody } from './view.ts';

/** Far above what one process can send; Discord's own 429s still rule. */
const REQUESTS_PER_SECOND_MAX = 100_000;
/**
 * How many connections the answers share; what comes beyond waits for one. Without a limit each of hundreds of answers
 * that are due at once, as after a broken connection, would open one: that costs the time they do not have.
 */
const MAX_CONNECTIONS = 100;
/** An answer that took this long comes too late anyway; the default of 15 s would only hide it. */
const REQUEST_TIMEOUT_MS = 8_000;
/** Every interaction's token gets a queue of its own in discord.js, which by default is kept for an hour. */
const IDLE_QUEUES_SWEPT_MS = 30_000;

/** What names an interaction on the wire. The token is a secret: it never goes into a log. */
export interface InteractionAddress {
  readonly id: string;
  readonly applicationId: string;
  readonly token: string;
}

/** Where a message stands. */
export interface MessageRef {
  readonly channelId: string;
  readonly messageId: string;
}

export interface InteractionCalls {
  /** The first answer as a new message; its place is asked for only when needed, because that slows Discord's answer. */
  reply(
    to: InteractionAddress,
    message: MessageBody,
    options: { readonly ephemeral: boolean; readonly locate: boolean },
  ): Promise<MessageRef | undefined>;
  /** The first answer as a change of the message that carries the component. */
  update(to: InteractionAddress, message: MessageBody): Promise<void>;
  deferReply(to: InteractionAddress, ephemeral: boolean): Promise<void>;
  deferUpdate(to: InteractionAddress): Promise<void>;
  showModal(to: InteractionAddress, modal: APIModalInteractionResponseCallbackData): Promise<void>;
  sendChoices(
    to: InteractionAddress,
    choices: readonly APIApplicationCommandOptionChoice<string>[],
  ): Promise<void>;
  editOriginal(to: InteractionAddress, message: MessageBody): Promise<MessageRef>;
  deleteOriginal(to: InteractionAddress): Promise<void>;
  followUp(
    to: InteractionAddress,
    message: MessageBody,
    options: { readonly ephemeral: boolean },
  ): Promise<MessageRef>;
  close(): void;
}

/** Opens the calls. @param apiUrl another Discord, without the version; Discord's own when undefined. */
export function openInteractionCalls(apiUrl: string | undefined): InteractionCalls {
  const rest = new REST({
    agent: new Agent({ connections: MAX_CONNECTIONS }),
    globalRequestsPerSecond: REQUESTS_PER_SECOND_MAX,
    timeout: REQUEST_TIMEOUT_MS,
    handlerSweepInterval: IDLE_QUEUES_SWEPT_MS,
    ...(apiUrl === undefined ? {} : { api: apiUrl }),
  });
  const callback = (
    to: InteractionAddress,
    body: object,
    options: { files?: MessageBody['files']; locate?: boolean } = {},
  ): Promise<unknown> =>
    rest.post(Routes.interactionCallback(to.id, to.token), {
      auth: false,
      body,
      query: new URLSearchParams({ with_response: String(options.locate ?? false) }),
      ...(options.files === undefined ? {} : { files: options.files }),
    });
  const original = (to: InteractionAddress): ReturnType<typeof Routes.webhookMessage> =>
    Routes.webhookMessage(to.applicationId, to.token, '@original');
  return {
    async reply(to, { body, files }, { ephemeral, locate }) {
      const type = InteractionResponseType.ChannelMessageWithSource;
      const data = { ...body, flags: flagsOf(ephemeral) };
      const answer = await callback(to, { type, data }, { files, locate });
      return locate ? locateAnswer(answer) : undefined;
    },
    async update(to, { body, files }) {
      await callback(to, { type: InteractionResponseType.UpdateMessage, data: body }, { files });
    },
    async deferReply(to, ephemeral) {
      const type = InteractionResponseType.DeferredChannelMessageWithSource;
      await callback(to, { type, data: { flags: flagsOf(ephemeral) } });
    },
    async deferUpdate(to) {
      await callback(to, { type: InteractionResponseType.DeferredMessageUpdate });
    },
    async showModal(to, modal) {
      await callback(to, { type: InteractionResponseType.Modal, data: modal });
    },
    async sendChoices(to, choices) {
      const type = InteractionResponseType.ApplicationCommandAutocompleteResult;
      await callback(to, { type, data: { choices } });
    },
    async editOriginal(to, { body, files }) {
      return locate(await rest.patch(original(to), { auth: false, body, files }));
    },
    async deleteOriginal(to) {
      await rest.delete(original(to), { auth: false });
    },
    async followUp(to, { body, files }, { ephemeral }) {
      const route = Routes.webhook(to.applicationId, to.token);
      const data = { ...body, flags: flagsOf(ephemeral) };
      const query = new URLSearchParams({ wait: 'true' });
      return locate(await rest.post(route, { auth: false, body: data, files, query }));
    },
    close() {
      rest.clearHashSweeper();
      rest.clearHandlerSweeper();
    },
  };
}

const flagsOf = (ephemeral: boolean): number => (ephemeral ? MessageFlags.Ephemeral : 0);

function locate(message: unknown): MessageRef {
  const { id, channel_id } = message as Pick<APIMessage, 'id' | 'channel_id'>;
  return { channelId: channel_id, messageId: id };
}

function locateAnswer(answer: unknown): MessageRef | undefined {
  const message = (answer as RESTPostAPIInteractionCallbackWithResponseResult).resource?.message;
  return message === undefined ? undefined : locate(message);
}
