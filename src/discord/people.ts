// Members as Discord shows them, made into the app's Person, and a short memory of those seen last.
import type { APIInteractionDataResolvedGuildMember, GuildMember, User } from 'discord.js';
import type { APIInteractionGuildMember } from 'discord.js';
import type { Person } from '../app/app.ts';
import { isMemberId } from '../shared/ids.ts';
import type { MemberId } from '../shared/ids.ts';

const PICTURE = { extension: 'png', size: 128 } as const;
/** Enough for both sides of every trade that is likely to be open. */
const REMEMBERED_MAX = 2_000;

type Membership =
  GuildMember | APIInteractionGuildMember | APIInteractionDataResolvedGuildMember | null;

/** The person behind a user; the guild's nickname and picture win over the user's own. */
export function personOf(user: User, membership: Membership): Person {
  return {
    memberId: memberIdOf(user.id),
    name: nameOf(user, membership),
    pictureUrl:
      membership !== null && 'displayAvatarURL' in membership
        ? membership.displayAvatarURL(PICTURE)
        : user.displayAvatarURL(PICTURE),
    isBot: user.bot,
  };
}

/** A user id as Discord sends it; anything but a snowflake is a fault. */
export function memberIdOf(userId: string): MemberId {
  if (!isMemberId(userId)) throw new Error('Discord sent a user id that is no snowflake.');
  return userId;
}

function nameOf(user: User, membership: Membership): string {
  if (membership === null) return user.displayName;
  if ('displayName' in membership) return membership.displayName;
  return membership.nick ?? user.displayName;
}

/** The members seen last; gone after a restart, so nothing may depend on it but a name and a picture. */
export class People {
  readonly #seen = new Map<MemberId, Person>();

  /** Remembers a person, and forgets the one seen longest ago when there are too many. */
  remember(person: Person): Person {
    this.#seen.delete(person.memberId);
    this.#seen.set(person.memberId, person);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > REMEMBERED_MAX && oldest !== undefined) this.#seen.delete(oldest);
    return person;
  }

  /** The person, if they were seen lately. */
  find(memberId: MemberId): Person | undefined {
    return this.#seen.get(memberId);
  }
}
