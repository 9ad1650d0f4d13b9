// Makes and changes messages from what the bot sent: files, mentions, flags and emptiness included.
import { completeComponents } from './component-form.ts';
import { attachmentsAfter, finderIn, resolveComponents, resolveEmbeds } from './files.ts';
import type { UploadedFile } from './files.ts';
import { readMessage } from './message-form.ts';
import type { AllowedMentions, MessageBody } from './message-form.ts';
import { mentionsIn } from './mentions.ts';
import { FormErrors, refuse } from './refusals.ts';
import { FLAG } from './wire.ts';
import type { WireAttachment, WireComponent, WireMessage, WireUser } from './wire.ts';
import type { StoredMessage, World } from './world.ts';

/** A body with its files, and where its form errors belong. */
export interface MessageRequest {
  body: unknown;
  files: readonly UploadedFile[];
  /** Where the message sits in the request: `data` for interaction callbacks. */
  prefix?: readonly PropertyKey[];
}

/** Where and as what a message is to appear. */
export interface MessagePlace {
  channelId: string;
  type: number;
  viewerId: string | null;
  /** Whom a message pings when it does not say so itself. */
  defaultMentions: AllowedMentions;
  extra?: Partial<WireMessage>;
}

/** Interaction responses ping users unless told otherwise; roles and everyone never by default. */
export const PING_USERS: AllowedMentions = {
  parse: ['users'],
  users: undefined,
  roles: undefined,
  replied_user: undefined,
};
/** Messages to a channel ping whatever they mention. */
export const PING_ALL: AllowedMentions = { ...PING_USERS, parse: ['users', 'roles', 'everyone'] };

const CREATE_FLAGS =
  FLAG.suppressEmbeds | FLAG.ephemeral | FLAG.suppressNotifications | FLAG.componentsV2;

interface Parts {
  content: string;
  embeds: WireMessage['embeds'];
  components: WireComponent[];
  /** The files that nothing in the message shows: they are listed below it. */
  attachments: WireAttachment[];
}

/** Reads and checks a new message and puts it into its channel. */
export function createMessage(
  world: World,
  request: MessageRequest,
  place: MessagePlace,
): StoredMessage {
  const errors = new FormErrors(request.prefix);
  const body = readMessage(request.body, errors);
  checkMentions(body.allowedMentions, errors);
  errors.throwIfAny();
  const target = { channelId: place.channelId, viewerId: place.viewerId };
  const { parts, files } = assemble(world, body, request, errors, target);
  const allowed = body.allowedMentions ?? place.defaultMentions;
  const mentions = mentionsIn(world, parts.content, parts.components, allowed);
  const wire: WireMessage = {
    id: world.ids.next(),
    type: place.type,
    channel_id: place.channelId,
    author: world.bot.user,
    timestamp: new Date(world.now()).toISOString(),
    edited_timestamp: null,
    tts: false,
    mention_everyone: mentions.everyone,
    mentions: mentions.users,
    mention_roles: mentions.roles,
    flags: (body.flags & CREATE_FLAGS) | (place.viewerId === null ? 0 : FLAG.ephemeral),
    pinned: false,
    ...parts,
    ...place.extra,
  };
  if (place.viewerId === null) wire.flags &= ~FLAG.ephemeral;
  const stored = { wire, viewerId: place.viewerId, pings: mentions.pings, files };
  world.putMessage(stored);
  return stored;
}

/** The message that "thinking…" is. */
export function createThinking(world: World, place: MessagePlace): StoredMessage {
  const wire: WireMessage = {
    id: world.ids.next(),
    type: place.type,
    channel_id: place.channelId,
    author: world.bot.user,
    content: '',
    timestamp: new Date(world.now()).toISOString(),
    edited_timestamp: null,
    tts: false,
    mention_everyone: false,
    mentions: [],
    mention_roles: [],
    attachments: [],
    embeds: [],
    components: [],
    flags: FLAG.loading | (place.viewerId === null ? 0 : FLAG.ephemeral),
    pinned: false,
    ...place.extra,
  };
  const stored = { wire, viewerId: place.viewerId, pings: [], files: [] };
  world.putMessage(stored);
  return stored;
}

/** Reads and checks a change to a message and applies it. Filling "thinking…" is no edit and may ping. */
export function editMessage(
  world: World,
  request: MessageRequest,
  stored: StoredMessage,
): StoredMessage {
  const before = stored.wire;
  const errors = new FormErrors(request.prefix);
  const body = readMessage(request.body, errors, (before.flags & FLAG.componentsV2) !== 0);
  checkMentions(body.allowedMentions, errors);
  checkSwitchToV2(before, body, errors);
  errors.throwIfAny();
  const target = { channelId: before.channel_id, viewerId: stored.viewerId, stored };
  const { parts, files } = assemble(world, body, request, errors, target);
  const filling = (before.flags & FLAG.loading) !== 0;
  const allowed = body.allowedMentions ?? PING_USERS;
  const mentions = mentionsIn(world, parts.content, parts.components, allowed);
  const editable = FLAG.suppressEmbeds | FLAG.componentsV2;
  const wire: WireMessage = {
    ...before,
    ...parts,
    mentions: mentions.users,
    mention_roles: mentions.roles,
    mention_everyone: mentions.everyone,
    flags: (before.flags & ~FLAG.loading) | (body.flags & editable),
    edited_timestamp: filling ? null : new Date(world.now()).toISOString(),
  };
  const pings = filling ? mentions.pings : stored.pings;
  const changed = { wire, viewerId: stored.viewerId, pings, files };
  world.putMessage(changed);
  return changed;
}

function checkSwitchToV2(before: WireMessage, body: MessageBody, errors: FormErrors): void {
  const switching = (body.flags & ~before.flags & FLAG.componentsV2) !== 0;
  if (!switching) return;
  const code = 'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2';
  const left: string[] = [];
  if (before.content !== '' && body.content === undefined) left.push('content');
  if (before.embeds.length > 0 && body.embeds === undefined) left.push('embeds');
  for (const field of left) {
    const message = `The '${field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2`;
    errors.add([field], code, message);
  }
}

function checkMentions(allowed: AllowedMentions | undefined, errors: FormErrors): void {
  for (const kind of ['users', 'roles'] as const) {
    const listed = allowed?.[kind] ?? [];
    if (listed.length === 0 || allowed?.parse?.includes(kind) !== true) continue;
    const message = `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`;
    errors.add(['allowed_mentions'], 'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE', message);
  }
}

interface Target {
  channelId: string;
  viewerId: string | null;
  /** The message as it stands, when it is being changed. */
  stored?: StoredMessage;
}

function assemble(
  world: World,
  body: MessageBody,
  request: MessageRequest,
  errors: FormErrors,
  { channelId, viewerId, stored }: Target,
): { parts: Parts; files: WireAttachment[] } {
  const before = stored?.wire;
  const kept = stored?.files ?? [];
  const files = attachmentsAfter(world, channelId, body, request.files, kept, viewerId !== null);
  const find = finderIn(files);
  const embeds =
    body.embeds === undefined ? (before?.embeds ?? []) : resolveEmbeds(body.embeds ?? [], find);
  const components =
    body.components === undefined
      ? (before?.components ?? [])
      : resolveComponents(world, completeComponents(body.components), find, errors);
  errors.throwIfAny();
  const content = (body.content === undefined ? before?.content : body.content)?.trim() ?? '';
  const v2 = ((body.flags | (before?.flags ?? 0)) & FLAG.componentsV2) !== 0;
  const empty = content === '' && embeds.length === 0 && files.length === 0;
  if (v2 ? components.length === 0 : empty && components.length === 0) throw refuse.emptyMessage();
  const shown = JSON.stringify([embeds, components]);
  const attachments = files.filter(({ url }) => !shown.includes(url));
  return { parts: { content, embeds, components, attachments }, files };
}

/** Users as the stand-in knows them, the bot included. */
export function findUser(world: World, id: string): WireUser | undefined {
  return id === world.bot.user.id ? world.bot.user : world.members.get(id)?.user;
}
