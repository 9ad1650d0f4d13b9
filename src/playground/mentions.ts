// Reads the mentions out of a message and says whom they ping once `allowed_mentions` has spoken.
import { walkComponents } from './component-form.ts';
import type { AllowedMentions } from './message-form.ts';
import type { WireComponent, WireUser } from './wire.ts';
import type { World } from './world.ts';

/** Whom a message mentions and pings. */
export interface Mentions {
  users: WireUser[];
  roles: string[];
  everyone: boolean;
  /** User ids, `&` and role ids, and `@everyone`. */
  pings: string[];
}

/** The mentions of a text, and of the text of components; embeds never ping. */
export function mentionsIn(
  world: World,
  content: string,
  components: readonly WireComponent[],
  allowed: AllowedMentions,
): Mentions {
  const texts = [...walkComponents(components)].map(({ component }) => component.content ?? '');
  const all = [content, ...texts].join('\n').replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
  const userIds = new Set([...all.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id ?? ''));
  const roleIds = new Set([...all.matchAll(/<@&(\d+)>/g)].map(([, id]) => id ?? ''));
  const parse = allowed.parse ?? [];
  const users = [...userIds]
    .filter((id) => parse.includes('users') || allowed.users?.includes(id) === true)
    .flatMap((id) => world.members.get(id)?.user ?? []);
  const roles = [...roleIds]
    .filter((id) => parse.includes('roles') || allowed.roles?.includes(id) === true)
    .filter((id) => world.roles.some((role) => role.id === id));
  const everyone = parse.includes('everyone') && /@(everyone|here)\b/.test(all);
  const pings = [...users.map(({ id }) => id), ...roles.map((id) => `&${id}`)];
  if (everyone) pings.push('@everyone');
  return { users, roles, everyone, pings };
}
