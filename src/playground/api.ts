// What a test or the playground page may do with the stand-in: the members' side of Discord, typed.
import type {
  WireAttachment,
  WireChannel,
  WireChoice,
  WireCommand,
  WireMember,
  WireMessage,
  WireModal,
  WireRole,
} from './wire.ts';

/** A member to be: an id and a name are enough. */
export interface MemberSeed {
  /** A snowflake; one is made when it is left out. */
  id?: string;
  /** The user name, as in `@name`. */
  username: string;
  /** The name shown; the user name when left out. */
  displayName?: string;
  /** Ids of roles, beside @everyone. */
  roles?: readonly string[];
  /** Permission bits as Discord writes them, a decimal string; those of an ordinary member when left out. */
  permissions?: string;
}

/** How to start a stand-in; every part has a default, and default ids are the same at every start. */
export interface StandInOptions {
  /** 0, the default, takes a free port. */
  port?: number;
  applicationId?: string;
  /** The bot token that the stand-in accepts; a random one when left out. */
  token?: string;
  /** The bot's user name. */
  botName?: string;
  guild?: {
    id?: string;
    name?: string;
    /** Text channels; the first is where members type. */
    channels?: readonly { id?: string; name: string }[];
    roles?: readonly { id?: string; name: string; color?: number }[];
  };
  /** Ada, Ben, Cleo and the administrator Olga when left out. */
  members?: readonly MemberSeed[];
  /** The clock, in ms; it dates messages and ages interaction tokens. */
  now?: () => number;
  /** How long a bot has for its first answer: 3,000 ms at Discord. */
  firstAnswerMs?: number;
  /** How long an interaction token lives: 15 minutes at Discord. */
  tokenLifeMs?: number;
  /** How often the gateway asks for a heartbeat: 41,250 ms at Discord. */
  heartbeatMs?: number;
  /** How many messages of a channel are kept: 500 when left out. A forgotten one is unknown to the bot's edits. */
  messagesPerChannel?: number;
}

/** A file that a member hands to an attachment option or a file upload. */
export interface MemberFile {
  filename: string;
  contentType: string;
  bytes: Uint8Array;
}

/**
 * The value of a command option. User, role, mentionable and channel options take the id; the rest take
 * the value itself.
 */
export type OptionValue = string | number | boolean | MemberFile;

/** What a member filled into a command. */
export interface CommandInput {
  /** The subcommand, when the command has any. */
  subcommand?: string;
  /** The group that the subcommand is in. */
  group?: string;
  options?: Readonly<Record<string, OptionValue>>;
}

/** A command half typed: `focused` is the option the member is typing in. */
export interface AutocompleteInput extends CommandInput {
  focused: string;
}

/** A modal on a member's screen. */
export interface ModalHandle extends WireModal {
  /** The exchange that it was the answer to. */
  readonly exchange: Exchange;
}

/** What filled a modal's fields, by custom id: a text, chosen values, files, or a ticked box. */
export type ModalFields = Readonly<
  Record<string, string | readonly string[] | readonly MemberFile[] | boolean>
>;

/** The first thing that a bot did about an interaction. */
export type FirstResponse =
  /** A new message. */
  | { kind: 'message'; message: WireMessage }
  /** The message that carries the component was changed. */
  | { kind: 'update'; message: WireMessage }
  /** "thinking…" */
  | { kind: 'deferred'; ephemeral: boolean }
  /** Acknowledged without a visible change; an edit may follow. */
  | { kind: 'deferred-update' }
  | { kind: 'modal'; modal: ModalHandle }
  | { kind: 'choices'; choices: readonly WireChoice[] }
  /** Nothing in time: "The application did not respond". */
  | { kind: 'did-not-respond' };

/** A 4xx that the bot earned: what Discord would have refused. */
export interface Violation {
  at: number;
  method: string;
  path: string;
  status: number;
  /** Discord's JSON error code, such as 50035. */
  code: number;
  message: string;
  /** The nested `errors` of an Invalid Form Body. */
  errors?: unknown;
}

/** One interaction from the member's act to the last follow-up. */
export interface Exchange {
  /** The interaction's id, a snowflake. */
  readonly id: string;
  readonly kind: 'command' | 'autocomplete' | 'component' | 'modal';
  readonly memberId: string;
  readonly channelId: string;
  /** Resolves with the bot's first response, or with `did-not-respond`; never rejects. */
  firstResponse(): Promise<FirstResponse>;
  /** The current state of the reply: for an update, the message that was updated. */
  message(): WireMessage | undefined;
  /**
   * Resolves with the reply once it has content, "thinking…" being over; rejects when the bot did not
   * respond, answered otherwise than by a message, or the time is up.
   */
  reply(timeoutMs?: number): Promise<WireMessage>;
  /** Resolves with the modal that the bot answered with; rejects when it answered otherwise. */
  modal(): Promise<ModalHandle>;
  /** Resolves with the choices of an autocompletion; rejects when the bot answered otherwise. */
  choices(): Promise<readonly WireChoice[]>;
  /** Resolves with the reply once it satisfies `predicate`; rejects with the last state on timeout (5 s). */
  settledWhen(
    predicate: (message: WireMessage) => boolean,
    timeoutMs?: number,
  ): Promise<WireMessage>;
  /** Follow-up messages as they stand now, oldest first. */
  followUps(): readonly WireMessage[];
  /** Resolves with the follow-ups once there are at least `count` of them. */
  followUpsReach(count: number, timeoutMs?: number): Promise<readonly WireMessage[]>;
  /** Every state that the reply went through, oldest first. */
  readonly edits: readonly WireMessage[];
  /** What Discord would have refused of the bot's calls for this interaction. */
  readonly violations: readonly Violation[];
  /** Whether the reply was deleted by the bot. */
  readonly deleted: boolean;
  /** When the bot was first sent this interaction, by the stand-in's clock; undefined while no gateway took it. */
  readonly deliveredAt: number | undefined;
  /** The injected faults that the bot's calls for this interaction met, oldest first. */
  readonly faults: readonly FaultMet[];
  /** When the bot's calls for this interaction arrived that met no injected fault. */
  readonly callsAt: readonly number[];
}

/**
 * Thrown where Discord's own client would not let the member act: an unknown command, a required option
 * left out, a disabled button, somebody else's ephemeral message.
 */
export class ClientRefusal extends Error {
  override readonly name = 'ClientRefusal';
}

/** A member's hands. Each act is checked as Discord's client checks it and throws `ClientRefusal`. */
export interface MemberDriver {
  readonly memberId: string;
  /** Uses a slash command. */
  command(name: string, input?: CommandInput): Exchange;
  /** Types in an option that autocompletes. */
  autocomplete(name: string, input: AutocompleteInput): Exchange;
  /** Clicks a button, as the message stands now. */
  click(message: { id: string }, customId: string): Exchange;
  /** Clicks a button as `message` showed it, even if the bot has changed the message since (a race). */
  clickStale(message: WireMessage, customId: string): Exchange;
  /** Picks values in a select of any kind; user, role and channel selects take ids. */
  select(message: { id: string }, customId: string, values: readonly string[]): Exchange;
  /** Sends a modal off. */
  submitModal(modal: ModalHandle, fields: ModalFields): Exchange;
  /** The messages that this member sees in a channel, oldest first. */
  messages(): readonly WireMessage[];
}

/** A fault to inject into the answers to the bot's REST calls. */
export interface FaultPlan {
  /** The calls concerned: a part of `METHOD /path` (as in `POST /interactions`), or a pattern for it. */
  route?: string | RegExp;
  /**
   * An HTTP status to answer with (429 carries `retry_after`); `lost`: the call is applied and the
   * connection ends without an answer; `reset`: likewise, with a TCP reset; `slow`: it is answered as ever, but
   * late. (discord.js tries again after a reset, but not inside jest, whose realm hides that Node's errors are errors.)
   */
  status: number | 'lost' | 'reset' | 'slow';
  /** With a status: whether the call is applied before the bad answer. False when left out. */
  applied?: boolean;
  /** How long the call lies before the stand-in looks at it, in ms; 0 when left out. */
  delayMs?: number;
  /** With 429: how long the bot is told to wait, in ms; 50 when left out. */
  retryAfterMs?: number;
  /** How many calls fail; 1 when left out. */
  times?: number;
}

/** An injected fault that a call for an interaction met. */
export interface FaultMet {
  /** When, by the stand-in's clock. */
  readonly at: number;
  readonly status: FaultPlan['status'];
  /** Whether the call was applied all the same. */
  readonly applied: boolean;
  /** How long the fault kept the bot waiting: the delay, and what a 429 told it, in ms. */
  readonly waitMs: number;
}

/** Faults that come by chance. The first five strike the bot's REST calls, the last two its interactions. */
export const CHANCE_FAULTS = [
  /** 500, not applied. */
  'error',
  /** 502 after the call was applied. */
  'error-applied',
  /** 429 with `retry_after`. */
  'throttled',
  /** Applied, and the connection ends without an answer. */
  'lost',
  /** Applied or refused as ever, but late. */
  'slow',
  /** The same interaction is sent twice, up to two seconds apart. */
  'redelivered',
  /** The same interaction is sent again when the bot has resumed or identified anew. */
  'redelivered-later',
] as const;
export type ChanceFault = (typeof CHANCE_FAULTS)[number];

/** Which faults come by chance, and how often. */
export interface FaultMix {
  /** The same seed gives the same draws, call after call. */
  readonly seed: number;
  /** The share of each, from 0 to 1; those of one call add up to 1 at most. */
  readonly shares: Readonly<Partial<Record<ChanceFault, number>>>;
  /** The longest delay of `slow` and wait of `throttled`, in ms; 1,000 when left out. */
  readonly longestMs?: number;
}

/** Something that happened, for who shows it. */
export type StandInEvent =
  | { type: 'message'; message: WireMessage; viewerId: string | null }
  | { type: 'message-deleted'; messageId: string; channelId: string }
  | { type: 'commands' }
  | { type: 'members' }
  | { type: 'bot'; connected: boolean }
  | { type: 'exchange'; exchange: Exchange; first: FirstResponse };

/** A running stand-in. */
export interface StandIn {
  /** For discord.js's `rest.api`, such as `http://127.0.0.1:4321/api`. */
  readonly url: string;
  /** Scheme, host and port. */
  readonly origin: string;
  readonly token: string;
  readonly applicationId: string;
  readonly guildId: string;
  readonly guildName: string;
  /** The channel that members type in unless told otherwise. */
  readonly channelId: string;
  /** The bot's own member. */
  readonly bot: WireMember;
  /** Acts as a member, in the first channel unless another is named (a DM channel's id works too). */
  as(memberId: string, channelId?: string): MemberDriver;
  /** The members of the guild without the bot, in order of joining. */
  members(): readonly WireMember[];
  addMember(seed: MemberSeed): WireMember;
  channels(): readonly WireChannel[];
  roles(): readonly WireRole[];
  /** The guild's and the global commands, by name. */
  commands(): readonly WireCommand[];
  /** All messages of a channel, oldest first, ephemeral ones too. */
  messages(channelId?: string): readonly WireMessage[];
  /** The one member who sees an ephemeral message; null for everyone's. */
  viewerOf(messageId: string): string | null;
  /** The DMs that the bot sent to a member, oldest first. */
  directMessages(memberId: string): readonly WireMessage[];
  /** Ids of the users whom a message pinged when it was sent, after `allowed_mentions`. */
  pingsOf(messageId: string): readonly string[];
  /** All 4xx that the bot earned, injected faults left out. */
  violations(): readonly Violation[];
  /** A stored file by the path of its URL. */
  file(path: string): { attachment: WireAttachment; bytes: Uint8Array } | undefined;
  /** Sends the same INTERACTION_CREATE once more, as Discord may. */
  redeliver(exchange: Exchange): void;
  /** Ends the life of the exchange's token now. */
  expireToken(exchange: Exchange): void;
  /** Breaks the gateway connections; the bot may resume, unless `resumable` is false. */
  dropGateway(options?: { resumable?: boolean }): void;
  /** Asks the bot to reconnect and resume (op 7), as Discord does before it takes a server down. */
  askToReconnect(): void;
  /**
   * Lets the present connections go dead without a word: nothing is sent on them any more, no heartbeat is
   * acknowledged. A bot notices by its heartbeats and resumes on a new connection.
   */
  freezeGateway(): void;
  failNext(plan: FaultPlan): void;
  /** Lets faults come by chance from now on; undefined, as at the start: none. */
  setFaults(mix: FaultMix | undefined): void;
  /** How often each fault by chance has struck. */
  faultCounts(): Readonly<Record<ChanceFault, number>>;
  /** Whether a bot is on the gateway. */
  botConnected(): boolean;
  /** Resolves once a bot is on the gateway (10 s) and, if named, this command is registered. */
  botReady(options?: { command?: string; timeoutMs?: number }): Promise<void>;
  /** Calls `listener` at every event until the returned function is called. */
  subscribe(listener: (event: StandInEvent) => void): () => void;
  /** Closes everything; sockets are cut. */
  close(): Promise<void>;
}
