// Builds INTERACTION_CREATE payloads, shaped as Discord shapes them.
import { BOT_PERMISSIONS } from './guild.ts';
import type { InteractionPayload } from './exchange.ts';
import { LIMIT } from './limits.ts';
import { refuse } from './refusals.ts';
import type { WireAttachment, WireChannel, WireMember, WireMessage } from './wire.ts';
import type { World } from './world.ts';

const LOCALE = 'en-US';
const DM_CONTEXT = 1;
const GUILD_CONTEXT = 0;

/** Who acts where, and by which interaction. */
export interface Act {
  id: string;
  token: string;
  type: number;
  memberId: string;
  channelId: string;
  data: Record<string, unknown>;
  message: WireMessage | undefined;
}

/** The payload of an act. */
export function buildInteraction(world: World, act: Act): InteractionPayload {
  const channel = world.channels.get(act.channelId);
  const member = world.members.get(act.memberId);
  if (channel === undefined) throw refuse.unknownChannel();
  if (member === undefined) throw refuse.unknownMember();
  const inGuild = channel.guild_id !== undefined;
  return {
    id: act.id,
    application_id: world.applicationId,
    type: act.type,
    token: act.token,
    version: 1,
    ...(inGuild
      ? {
          guild_id: world.guildId,
          guild: { id: world.guildId, locale: LOCALE, features: [] },
          guild_locale: LOCALE,
          member: { ...member, permissions: world.permissionsOf(act.memberId) },
        }
      : { user: member.user }),
    channel_id: act.channelId,
    channel: { ...channel, permissions: world.permissionsOf(act.memberId) },
    context: inGuild ? GUILD_CONTEXT : DM_CONTEXT,
    locale: LOCALE,
    app_permissions: BOT_PERMISSIONS,
    authorizing_integration_owners: { '0': inGuild ? world.guildId : '0' },
    entitlements: [],
    attachment_size_limit: LIMIT.fileBytes,
    data: act.data,
    ...(act.message === undefined ? {} : { message: act.message }),
  };
}

/** Collects the things that ids in an interaction's data stand for. */
export class Resolved {
  readonly #world: World;
  readonly #viewerId: string;
  readonly #found: Record<string, Record<string, unknown>> = {};

  constructor(world: World, viewerId: string) {
    this.#world = world;
    this.#viewerId = viewerId;
  }

  /** Adds a user with their membership; false when there is no such user. */
  addUser(id: string): boolean {
    const member = id === this.#world.bot.user.id ? this.#world.bot : this.#world.members.get(id);
    if (member === undefined) return false;
    this.#put('users', id, member.user);
    this.#put('members', id, this.#partial(member));
    return true;
  }

  /** Adds a role; false when there is no such role. */
  addRole(id: string): boolean {
    const role = this.#world.roles.find((one) => one.id === id);
    if (role !== undefined) this.#put('roles', id, role);
    return role !== undefined;
  }

  /** Adds a channel and returns it; undefined when there is no such channel. */
  addChannel(id: string): WireChannel | undefined {
    const channel = this.#world.channels.get(id);
    if (channel !== undefined) {
      const permissions = this.#world.permissionsOf(this.#viewerId);
      this.#put('channels', id, { ...channel, permissions });
    }
    return channel;
  }

  /** Adds a file that was uploaded. */
  addAttachment(attachment: WireAttachment): void {
    this.#put('attachments', attachment.id, attachment);
  }

  /** The `resolved` property, when there is anything in it. */
  asPart(): { resolved?: Record<string, Record<string, unknown>> } {
    return Object.keys(this.#found).length === 0 ? {} : { resolved: this.#found };
  }

  #put(kind: string, id: string, value: unknown): void {
    this.#found[kind] = { ...this.#found[kind], [id]: value };
  }

  #partial(member: WireMember): Record<string, unknown> {
    const partial: Record<string, unknown> = { ...member };
    for (const key of ['user', 'deaf', 'mute'] as const) Reflect.deleteProperty(partial, key);
    return { ...partial, permissions: this.#world.permissionsOf(member.user.id) };
  }
}
