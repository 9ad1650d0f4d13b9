// Who may be on the other end of a movement.
import { AppError } from '../shared/errors.ts';
import type { Person } from './app.ts';

/** @throws AppError SELF_PAYMENT for oneself, BOT_RECIPIENT for a bot. */
export function assertOtherPerson(from: Person, to: Person): void {
  if (from.memberId === to.memberId) throw new AppError('SELF_PAYMENT');
  if (to.isBot) throw new AppError('BOT_RECIPIENT');
}
