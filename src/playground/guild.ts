// Builds the people and places of the stand-in's one guild in Discord's shapes.
import type { MemberSeed } from './api.ts';
import type { WireChannel, WireMember, WireRole, WireUser } from './wire.ts';

const PERMISSION = {
  addReactions: 1n << 6n,
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  manageMessages: 1n << 13n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readHistory: 1n << 16n,
  useCommands: 1n << 31n,
};
const ORDINARY =
  PERMISSION.addReactions |
  PERMISSION.viewChannel |
  PERMISSION.sendMessages |
  PERMISSION.embedLinks |
  PERMISSION.attachFiles |
  PERMISSION.readHistory |
  PERMISSION.useCommands;

/** What a member may do unless the seed says otherwise. */
export const MEMBER_PERMISSIONS = ORDINARY.toString();
/** What the bot may do. */
export const BOT_PERMISSIONS = (ORDINARY | PERMISSION.manageMessages).toString();
/** The bit that stands for every permission. */
export const ADMINISTRATOR = 1n << 3n;

const TEXT_CHANNEL = 0;
const DM_CHANNEL = 1;

/** A user. */
export function buildUser(
  id: string,
  username: string,
  shown: string | null,
  bot: boolean,
): WireUser {
  return {
    id,
    username,
    global_name: shown,
    discriminator: bot ? '4242' : '0',
    avatar: null,
    bot,
    system: false,
    banner: null,
    accent_color: null,
    public_flags: 0,
    flags: 0,
    avatar_decoration_data: null,
    collectibles: null,
    primary_guild: null,
  };
}

/** A member, without the permissions that only interactions carry. */
export function buildMember(
  user: WireUser,
  roles: readonly string[],
  joinedAt: number,
): WireMember {
  return {
    user,
    nick: null,
    avatar: null,
    banner: null,
    roles: [...roles],
    joined_at: new Date(joinedAt).toISOString(),
    premium_since: null,
    communication_disabled_until: null,
    flags: 0,
    pending: false,
    deaf: false,
    mute: false,
  };
}

/** The member that a seed describes. */
export function memberOfSeed(seed: MemberSeed, id: string, joinedAt: number): WireMember {
  const shown = seed.displayName ?? seed.username;
  return buildMember(buildUser(id, seed.username, shown, false), seed.roles ?? [], joinedAt);
}

/** A text channel of the guild. */
export function buildChannel(
  id: string,
  name: string,
  guildId: string,
  position: number,
): WireChannel {
  return {
    id,
    type: TEXT_CHANNEL,
    name,
    guild_id: guildId,
    topic: null,
    position,
    parent_id: null,
    nsfw: false,
    rate_limit_per_user: 0,
    last_message_id: null,
    permission_overwrites: [],
    flags: 0,
  };
}

/** The DM channel of the bot and one user. */
export function buildDm(id: string, user: WireUser): WireChannel {
  return { id, type: DM_CHANNEL, recipients: [user], last_message_id: null, flags: 0 };
}

/** A role. */
export function buildRole(id: string, name: string, position: number, color = 0): WireRole {
  return {
    id,
    name,
    description: null,
    permissions: MEMBER_PERMISSIONS,
    position,
    color,
    colors: { primary_color: color, secondary_color: null, tertiary_color: null },
    hoist: false,
    managed: false,
    mentionable: true,
    icon: null,
    unicode_emoji: null,
    flags: 0,
  };
}

/** The guild as REST returns it. */
export function buildGuild(id: string, name: string, ownerId: string, roles: readonly WireRole[]) {
  return {
    id,
    name,
    icon: null,
    icon_hash: null,
    splash: null,
    discovery_splash: null,
    banner: null,
    home_header: null,
    description: null,
    owner_id: ownerId,
    application_id: null,
    afk_channel_id: null,
    afk_timeout: 300,
    widget_enabled: false,
    widget_channel_id: null,
    verification_level: 0,
    default_message_notifications: 1,
    explicit_content_filter: 0,
    mfa_level: 0,
    nsfw: false,
    nsfw_level: 0,
    premium_tier: 0,
    premium_subscription_count: 0,
    premium_progress_bar_enabled: false,
    preferred_locale: 'en-US',
    region: 'deprecated',
    rules_channel_id: null,
    public_updates_channel_id: null,
    safety_alerts_channel_id: null,
    system_channel_id: null,
    system_channel_flags: 0,
    vanity_url_code: null,
    max_members: 500_000,
    max_presences: null,
    max_video_channel_users: 25,
    max_stage_video_channel_users: 50,
    features: [],
    emojis: [],
    stickers: [],
    roles,
    hub_type: null,
    incidents_data: null,
  };
}
