// The stand-in's whole state, in memory and bounded: people, channels, commands, messages and files.
import { randomBytes } from 'node:crypto';
import type { MemberSeed, StandInEvent, StandInOptions, Violation } from './api.ts';
import {
  ADMINISTRATOR,
  MEMBER_PERMISSIONS,
  buildChannel,
  buildDm,
  buildMember,
  buildRole,
} from './guild.ts';
import { buildUser, memberOfSeed } from './guild.ts';
import { KEPT } from './limits.ts';
import { Snowflakes } from './snowflakes.ts';
import type {
  WireAttachment,
  WireChannel,
  WireCommand,
  WireMember,
  WireMessage,
  WireRole,
} from './wire.ts';

/** The same ids at every start, so that what a bot remembers of its members stays theirs. */
const DEFAULT_ID = {
  application: '1100000000000000001',
  guild: '1100000000000000002',
  channel: '1100000000000000003',
};
const DEFAULT_MEMBERS: readonly MemberSeed[] = [
  { id: '1200000000000000001', username: 'ada', displayName: 'Ada' },
  { id: '1200000000000000002', username: 'ben', displayName: 'Ben' },
  { id: '1200000000000000003', username: 'cleo', displayName: 'Cleo' },
  {
    id: '1200000000000000004',
    username: 'olga',
    displayName: 'Olga (admin)',
    permissions: (BigInt(MEMBER_PERMISSIONS) | ADMINISTRATOR).toString(),
  },
];

/** A message with what the wire does not say about it. */
export interface StoredMessage {
  wire: WireMessage;
  /** The only member who sees it; null when everyone does. */
  viewerId: string | null;
  /** Whom it pinged. */
  pings: readonly string[];
  /** Its files, those that an embed or a component shows included. */
  files: readonly WireAttachment[];
}

/** A file that the stand-in serves. */
export interface StoredFile {
  attachment: WireAttachment;
  bytes: Uint8Array;
}

/** The state behind one stand-in. */
export class World {
  readonly now: () => number;
  readonly ids: Snowflakes;
  readonly token: string;
  readonly applicationId: string;
  readonly guildId: string;
  readonly guildName: string;
  readonly bot: WireMember;
  readonly roles: readonly WireRole[];
  readonly channels = new Map<string, WireChannel>();
  readonly members = new Map<string, WireMember>();
  readonly violations: Violation[] = [];
  /** Where the stand-in listens; set once it does. */
  origin = '';
  readonly #permissions = new Map<string, string>();
  readonly #dmOf = new Map<string, string>();
  readonly #globalCommands = new Map<string, WireCommand>();
  readonly #guildCommands = new Map<string, WireCommand>();
  readonly #messages = new Map<string, Map<string, StoredMessage>>();
  readonly #channelOf = new Map<string, string>();
  readonly #files = new Map<string, StoredFile>();
  #fileBytes = 0;
  readonly #listeners = new Set<(event: StandInEvent) => void>();
  readonly #messagesPerChannel: number;

  constructor(options: StandInOptions) {
    this.#messagesPerChannel = options.messagesPerChannel ?? KEPT.messagesPerChannel;
    this.now = options.now ?? Date.now;
    this.ids = new Snowflakes(this.now);
    this.applicationId = options.applicationId ?? DEFAULT_ID.application;
    this.token = options.token ?? tokenFor(this.applicationId);
    this.guildId = options.guild?.id ?? DEFAULT_ID.guild;
    this.guildName = options.guild?.name ?? 'The Playground';
    const botUser = buildUser(this.applicationId, options.botName ?? 'AI Bot', null, true);
    this.bot = buildMember(botUser, [], this.now());
    const roles = options.guild?.roles ?? [];
    this.roles = [
      buildRole(this.guildId, '@everyone', 0),
      ...roles.map((role, index) =>
        buildRole(role.id ?? this.ids.next(), role.name, index + 1, role.color),
      ),
    ];
    const channels = options.guild?.channels ?? [{ id: DEFAULT_ID.channel, name: 'general' }];
    for (const [index, { id, name }] of channels.entries()) {
      const channel = buildChannel(id ?? this.ids.next(), name, this.guildId, index);
      this.channels.set(channel.id, channel);
    }
    for (const seed of options.members ?? DEFAULT_MEMBERS) this.addMember(seed);
  }

  /** Tells the listeners what happened. */
  emit(event: StandInEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Adds a listener; the answer takes it away again. */
  subscribe(listener: (event: StandInEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets somebody join the guild. */
  addMember(seed: MemberSeed): WireMember {
    if (this.members.size >= KEPT.members) throw new Error(`At most ${KEPT.members} members`);
    const member = memberOfSeed(seed, seed.id ?? this.ids.next(), this.now());
    if (this.members.has(member.user.id))
      throw new Error(`Member ${member.user.id} is there already`);
    this.members.set(member.user.id, member);
    this.#permissions.set(member.user.id, seed.permissions ?? MEMBER_PERMISSIONS);
    this.emit({ type: 'members' });
    return member;
  }

  /** A member's permission bits, as a decimal string. */
  permissionsOf(memberId: string): string {
    return this.#permissions.get(memberId) ?? MEMBER_PERMISSIONS;
  }

  /** The DM channel of the bot and a member, opened if need be. */
  dmChannel(member: WireMember): WireChannel {
    const known = this.channels.get(this.#dmOf.get(member.user.id) ?? '');
    if (known !== undefined) return known;
    if (this.#dmOf.size >= KEPT.dmChannels)
      throw new Error(`At most ${KEPT.dmChannels} DM channels`);
    const channel = buildDm(this.ids.next(), member.user);
    this.channels.set(channel.id, channel);
    this.#dmOf.set(member.user.id, channel.id);
    return channel;
  }

  /** The commands of one scope: the guild's, or the global ones. */
  commandsOf(scope: 'guild' | 'global'): Map<string, WireCommand> {
    return scope === 'guild' ? this.#guildCommands : this.#globalCommands;
  }

  /** Every command that a member may find, the guild's before the global ones, by name. */
  allCommands(): WireCommand[] {
    const all = [...this.#guildCommands.values(), ...this.#globalCommands.values()];
    return all.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Keeps a message, new or changed, and forgets the channel's oldest beyond the limit. */
  putMessage(stored: StoredMessage): void {
    const { id, channel_id: channelId } = stored.wire;
    const inChannel = this.#messages.get(channelId) ?? new Map<string, StoredMessage>();
    this.#messages.set(channelId, inChannel);
    inChannel.set(id, stored);
    this.#channelOf.set(id, channelId);
    if (inChannel.size > this.#messagesPerChannel) {
      const oldest = inChannel.keys().next().value;
      if (oldest !== undefined) {
        inChannel.delete(oldest);
        this.#channelOf.delete(oldest);
      }
    }
    this.emit({ type: 'message', message: stored.wire, viewerId: stored.viewerId });
  }

  /** Takes a message away. */
  deleteMessage(id: string): void {
    const channelId = this.#channelOf.get(id);
    if (channelId === undefined) return;
    this.#messages.get(channelId)?.delete(id);
    this.#channelOf.delete(id);
    this.emit({ type: 'message-deleted', messageId: id, channelId });
  }

  /** A message by its id. */
  findMessage(id: string): StoredMessage | undefined {
    return this.#messages.get(this.#channelOf.get(id) ?? '')?.get(id);
  }

  /** A channel's messages, oldest first. */
  messagesOf(channelId: string): StoredMessage[] {
    return [...(this.#messages.get(channelId)?.values() ?? [])];
  }

  /** Keeps a file and forgets the oldest ones beyond the limits. */
  putFile(path: string, file: StoredFile): void {
    this.#files.set(path, file);
    this.#fileBytes += file.bytes.byteLength;
    for (const [oldPath, old] of this.#files) {
      if (this.#files.size <= KEPT.files && this.#fileBytes <= KEPT.fileBytesTotal) break;
      this.#files.delete(oldPath);
      this.#fileBytes -= old.bytes.byteLength;
    }
  }

  /** A file by the path of its URL. */
  findFile(path: string): StoredFile | undefined {
    return this.#files.get(path);
  }

  /** Notes what Discord would have refused. */
  noteViolation(violation: Violation): void {
    this.violations.push(violation);
    if (this.violations.length > KEPT.violations) this.violations.shift();
  }
}

function tokenFor(applicationId: string): string {
  const id = Buffer.from(applicationId).toString('base64url');
  return `${id}.${randomBytes(4).toString('base64url')}.${randomBytes(20).toString('base64url')}`;
}
