// What a member reads when something did not work.
import { AppError, ERRORS } from '../../shared/errors.ts';
import type { View } from '../view.ts';
import { clip, escapeName, LIMITS } from './text.ts';

/** Mentions and timestamps that the app put into an error's data on purpose. */
const MARKUP = /^<(?:@|t:)\d{1,20}(?::[a-zA-Z])?>$/;

/** An expected refusal in the table's words; what members typed into it is escaped. */
export function refusalMessage(error: AppError): View {
  const data = Object.fromEntries(
    Object.entries(error.data).map(([name, value]) => [name, safeValue(value)]),
  );
  const { message } = new AppError(error.code, data);
  const again = ERRORS[error.code].retryable && !/again|wait/i.test(message) ? ' Try again.' : '';
  return { content: clip(`${message}${again}`, LIMITS.content) };
}

/**
 * A fault. Whether it struck before or after something was booked is not known here, so nothing is claimed about it:
 * only where the truth stands.
 */
export function faultMessage(reference: string): View {
  return {
    content: `Something broke on our side (ref ${reference}). I cannot say here whether your request went through. Look at \`/statement\` and \`/inventory\` before you repeat it, and tell the staff the reference.`,
  };
}

/** An answer to a button of an older version of the bot, or of one that was never ours. */
export const UNKNOWN_COMPONENT: View = {
  content:
    'This button is from an older version of the bot and did nothing. Nothing was changed. Use the command again; `/help` lists them.',
};

export const UNKNOWN_COMMAND: View = {
  content:
    'This command is not known any more. Nothing was changed. Reload Discord, and see `/help` for what there is.',
};

export const ONLY_IN_A_GUILD: View = {
  content:
    'I answer in a server only. Nothing was changed. Use the command in one of its channels.',
};

export const STOPPING: View = {
  content: 'The bot is restarting. Nothing was done. Try again in a moment.',
};

export const TOO_LATE_FOR_A_FORM: View = {
  content: 'That took too long to open a form. Nothing was changed. Press the button again.',
};

function safeValue(value: string | number): string | number {
  if (typeof value === 'number' || MARKUP.test(value)) return value;
  return escapeName(value, 160);
}
