// The JSON shapes that cross the wire between the stand-in and a bot, as Discord's API v10 has them.

/** A user as Discord shows it to a bot. */
export interface WireUser {
  id: string;
  username: string;
  global_name: string | null;
  discriminator: string;
  avatar: string | null;
  bot: boolean;
  system: boolean;
  banner: string | null;
  accent_color: number | null;
  public_flags: number;
  flags: number;
  avatar_decoration_data: null;
  collectibles: null;
  primary_guild: null;
}

/** A member of the guild; `permissions` only where Discord sends it (interactions). */
export interface WireMember {
  user: WireUser;
  nick: string | null;
  avatar: string | null;
  banner: string | null;
  roles: string[];
  joined_at: string;
  premium_since: string | null;
  communication_disabled_until: string | null;
  flags: number;
  pending: boolean;
  deaf: boolean;
  mute: boolean;
  permissions?: string | undefined;
}

/** A file of a message; `url` is served by the stand-in itself. */
export interface WireAttachment {
  id: string;
  filename: string;
  size: number;
  url: string;
  proxy_url: string;
  content_type?: string | undefined;
  description?: string | undefined;
  title?: string | undefined;
  width?: number | undefined;
  height?: number | undefined;
  ephemeral?: boolean | undefined;
}

/** A picture, or other media, of an embed or a component. */
export interface WireMedia {
  id?: string | undefined;
  attachment_id?: string | undefined;
  url: string;
  proxy_url?: string | undefined;
  width?: number | undefined;
  height?: number | undefined;
  content_type?: string | undefined;
}

/** An embed. */
export interface WireEmbed {
  type?: string | undefined;
  title?: string | undefined;
  description?: string | undefined;
  url?: string | undefined;
  timestamp?: string | undefined;
  color?: number | undefined;
  footer?: { text: string; icon_url?: string | undefined } | undefined;
  image?: WireMedia | undefined;
  thumbnail?: WireMedia | undefined;
  author?: { name: string; url?: string | undefined; icon_url?: string | undefined } | undefined;
  fields?: { name: string; value: string; inline?: boolean | undefined }[] | undefined;
}

/** An emoji on a button or an option. */
export interface WireEmoji {
  id?: string | undefined;
  name?: string | undefined;
  animated?: boolean | undefined;
}

/** One option of a select, a radio group or a checkbox group. */
export interface WireSelectOption {
  label: string;
  value: string;
  description?: string | undefined;
  emoji?: WireEmoji | undefined;
  default?: boolean | undefined;
}

/** Any component of a message or a modal; which properties are there depends on `type`. */
export interface WireComponent {
  type: number;
  id?: number | undefined;
  custom_id?: string | undefined;
  style?: number | undefined;
  label?: string | undefined;
  emoji?: WireEmoji | undefined;
  url?: string | undefined;
  disabled?: boolean | undefined;
  options?: WireSelectOption[] | undefined;
  placeholder?: string | undefined;
  min_values?: number | undefined;
  max_values?: number | undefined;
  default_values?: { id: string; type: string }[] | undefined;
  channel_types?: number[] | undefined;
  min_length?: number | undefined;
  max_length?: number | undefined;
  required?: boolean | undefined;
  value?: string | undefined;
  default?: boolean | undefined;
  content?: string | undefined;
  description?: string | null | undefined;
  spoiler?: boolean | undefined;
  divider?: boolean | undefined;
  spacing?: number | undefined;
  accent_color?: number | null | undefined;
  media?: WireMedia | undefined;
  items?:
    | { media: WireMedia; description?: string | null | undefined; spoiler?: boolean | undefined }[]
    | undefined;
  file?: WireMedia | undefined;
  name?: string | undefined;
  size?: number | undefined;
  components?: WireComponent[] | undefined;
  accessory?: WireComponent | undefined;
  component?: WireComponent | undefined;
}

/** What made a message: the command or component that it answers. */
export interface WireInteractionMetadata {
  id: string;
  type: number;
  user: WireUser;
  authorizing_integration_owners: Record<string, string>;
  original_response_message_id?: string | undefined;
  interacted_message_id?: string | undefined;
  triggering_interaction_metadata?: WireInteractionMetadata | undefined;
}

/** A message as the REST API returns it. */
export interface WireMessage {
  id: string;
  type: number;
  channel_id: string;
  author: WireUser;
  content: string;
  timestamp: string;
  edited_timestamp: string | null;
  tts: boolean;
  mention_everyone: boolean;
  mentions: WireUser[];
  mention_roles: string[];
  attachments: WireAttachment[];
  embeds: WireEmbed[];
  components: WireComponent[];
  flags: number;
  pinned: boolean;
  application_id?: string | undefined;
  webhook_id?: string | undefined;
  interaction_metadata?: WireInteractionMetadata | undefined;
  /** Deprecated by Discord, still sent: the command's name and who used it. */
  interaction?: { id: string; type: number; name: string; user: WireUser } | undefined;
  message_reference?:
    | { type: number; message_id: string; channel_id: string; guild_id?: string | undefined }
    | undefined;
}

/** A choice of a command option or of an autocompletion. */
export interface WireChoice {
  name: string;
  value: string | number;
  name_localizations?: Record<string, string> | null | undefined;
}

/** An option of a command, a subcommand or a group of them. */
export interface WireCommandOption {
  type: number;
  name: string;
  description: string;
  name_localizations?: Record<string, string> | null | undefined;
  description_localizations?: Record<string, string> | null | undefined;
  required?: boolean | undefined;
  autocomplete?: boolean | undefined;
  choices?: WireChoice[] | undefined;
  channel_types?: number[] | undefined;
  min_value?: number | undefined;
  max_value?: number | undefined;
  min_length?: number | undefined;
  max_length?: number | undefined;
  options?: WireCommandOption[] | undefined;
}

/** A registered command. */
export interface WireCommand {
  id: string;
  application_id: string;
  version: string;
  type: number;
  name: string;
  description: string;
  name_localizations: Record<string, string> | null;
  description_localizations: Record<string, string> | null;
  default_member_permissions: string | null;
  nsfw: boolean;
  options?: WireCommandOption[] | undefined;
  guild_id?: string | undefined;
  dm_permission?: boolean | undefined;
  contexts?: number[] | null | undefined;
  integration_types?: number[] | undefined;
}

/** A modal as the bot sent it. */
export interface WireModal {
  custom_id: string;
  title: string;
  components: WireComponent[];
}

/** A channel. */
export interface WireChannel {
  id: string;
  type: number;
  name?: string | undefined;
  guild_id?: string | undefined;
  topic?: string | null | undefined;
  position?: number | undefined;
  parent_id?: string | null | undefined;
  nsfw?: boolean | undefined;
  rate_limit_per_user?: number | undefined;
  last_message_id?: string | null | undefined;
  permission_overwrites?: unknown[] | undefined;
  flags: number;
  recipients?: WireUser[] | undefined;
}

/** A role. */
export interface WireRole {
  id: string;
  name: string;
  description: string | null;
  permissions: string;
  position: number;
  color: number;
  colors: { primary_color: number; secondary_color: null; tertiary_color: null };
  hoist: boolean;
  managed: boolean;
  mentionable: boolean;
  icon: null;
  unicode_emoji: null;
  flags: number;
}

/** The numbers that the wire uses for interaction kinds. */
export const INTERACTION = { command: 2, component: 3, autocomplete: 4, modal: 5 } as const;

/** The numbers that the wire uses for the kinds of a first answer. */
export const CALLBACK = {
  message: 4,
  deferredMessage: 5,
  deferredUpdate: 6,
  update: 7,
  choices: 8,
  modal: 9,
} as const;

/** Message flags that the stand-in knows. */
export const FLAG = {
  suppressEmbeds: 4,
  ephemeral: 64,
  loading: 128,
  suppressNotifications: 4096,
  componentsV2: 32768,
} as const;

/** Component types. */
export const COMPONENT = {
  row: 1,
  button: 2,
  stringSelect: 3,
  textInput: 4,
  userSelect: 5,
  roleSelect: 6,
  mentionableSelect: 7,
  channelSelect: 8,
  section: 9,
  text: 10,
  thumbnail: 11,
  gallery: 12,
  file: 13,
  separator: 14,
  container: 17,
  label: 18,
  upload: 19,
  radioGroup: 21,
  checkboxGroup: 22,
  checkbox: 23,
} as const;

/** Command option types. */
export const OPTION = {
  subcommand: 1,
  group: 2,
  string: 3,
  integer: 4,
  boolean: 5,
  user: 6,
  channel: 7,
  role: 8,
  mentionable: 9,
  number: 10,
  attachment: 11,
} as const;

/** The button style that opens a link and sends nothing to the bot. */
export const LINK_BUTTON = 5;
