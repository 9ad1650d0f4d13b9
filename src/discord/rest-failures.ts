// What a failed request to Discord means for the bot, and how it goes into the log without secrets.
import { DiscordAPIError, HTTPError, RateLimitError, RESTJSONErrorCodes } from 'discord.js';

/**
 * - `acknowledged`: the interaction was answered before; after a lost answer, by this very request.
 * - `gone`: the interaction, its token or the message is over; nobody can be told through it any more.
 * - `unclear`: the connection or Discord failed; the request may or may not have been applied.
 * - `refused`: Discord understood and said no: our request was wrong, or we may not.
 */
export type RestFailure = 'acknowledged' | 'gone' | 'unclear' | 'refused';

const GONE = new Set<number | string>([
  RESTJSONErrorCodes.UnknownMessage,
  RESTJSONErrorCodes.UnknownWebhook,
  RESTJSONErrorCodes.UnknownInteraction,
  RESTJSONErrorCodes.InvalidWebhookToken,
]);

/** Classifies what a request threw. */
export function failureOf(error: unknown): RestFailure {
  if (error instanceof RateLimitError) return 'refused';
  if (!(error instanceof DiscordAPIError)) return 'unclear';
  if (error.code === RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged) {
    return 'acknowledged';
  }
  return GONE.has(error.code) ? 'gone' : 'refused';
}

/**
 * The facts of an error that may be logged. The errors of discord.js carry the request's address and body, and with them
 * the interaction's token, which acts for the bot for 15 minutes.
 */
export function loggable(error: unknown): object {
  if (!(error instanceof Error)) return { error: typeof error };
  const { name, message, stack } = error;
  const facts = { name, message, stack };
  if (error instanceof DiscordAPIError) {
    return { ...facts, code: error.code, status: error.status, method: error.method };
  }
  if (error instanceof HTTPError) return { ...facts, status: error.status, method: error.method };
  return error.cause === undefined ? facts : { ...facts, cause: loggable(error.cause) };
}
