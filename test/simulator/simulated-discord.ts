// Discord as the bot meets it: interactions that come late, twice or not at all, and answers that fail, wait or get lost.
import { DefaultRestOptions, type APIChatInputApplicationCommandInteraction } from 'discord.js';
import type { Person } from '../../src/app/app.ts';
import { Snowflakes } from '../../src/playground/snowflakes.ts';
import { machine } from './machine.ts';
import type { World } from './world.ts';

/** What may happen to the next requests that the bot makes. */
export const DISCORD_FAULTS = ['discord-500', 'discord-429', 'discord-answer-lost'] as const;
export type DiscordFault = (typeof DISCORD_FAULTS)[number];

/** Discord takes a first answer for so long, and tells the member after it that the bot did not respond. */
const ANSWER_WITHIN_MS = 3_000;
/** The bot tries an edit again for a minute: between two outages there is always time for one. */
const OUTAGE_MAX_MS = 15_000;
const BETWEEN_OUTAGES_MS = 40_000;
/** How much of what was delivered before a connection broke may come again after it. */
const REPLAYED_MAX = 3;
/** A first answer is sent again until shortly before Discord takes none any more: so early nobody gives up. */
const NOT_GIVEN_UP_BEFORE_MS = 1_500;
const APPLICATION = '1';
const EPHEMERAL = 64;

/** What a member typed. */
export interface Slash {
  readonly name: string;
  readonly options: readonly SlashOption[];
}

type SlashOption =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly count: number }
  | { readonly name: string; readonly person: Person };

interface Message {
  readonly content: string;
  readonly embeds: readonly { readonly footer?: { readonly text: string } }[];
  readonly flags?: number;
}

/** An interaction as Discord and its member see it. */
interface Interaction {
  readonly id: string;
  readonly key: string;
  readonly createdAt: number;
  readonly packet: APIChatInputApplicationCommandInteraction;
  /** In which life it was delivered last. */
  deliveredTo: object | undefined;
  /** Whether it reached the program while Discord would still have taken an answer. */
  isInTime: boolean;
  state: 'nothing' | 'thinking' | 'answered';
  /** The main answer. */
  shown: Message | undefined;
  /** What only its member was told. */
  whispered: Message | undefined;
  /** The program wrote into its log that the member may not have been told. */
  isRecorded: boolean;
}

/** What the program makes of a packet. */
export type Receive = (packet: APIChatInputApplicationCommandInteraction) => void;

interface Answer {
  readonly status: number;
  readonly body?: object;
  readonly retryAfterS?: number;
}

/** The Discord that the requests of the process go to now. */
let present: SimulatedDiscord | undefined;

export class SimulatedDiscord {
  /** Undefined while no program is connected. */
  receive: Receive | undefined;
  readonly #world: World;
  readonly #interactions = new Map<string, Interaction>();
  readonly #snowflakes = new Snowflakes(() => machine.now);
  /** Sent into a gateway that is closed; undefined while it is open. */
  #waiting: Interaction[] | undefined;
  readonly #delivered: Interaction[] = [];
  #faults: DiscordFault[] = [];
  /** Events between Discord and the program. */
  #underWay = 0;
  /** True while what arrives was sent by a process that has died since. */
  #isOfTheDead = false;
  #isDownUntil = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** The id of an interaction that is to be made. */
  makeId(): string {
    return this.#snowflakes.next();
  }

  /** A member uses a slash command. */
  use(id: string, member: Person, slash: Slash): void {
    const interaction: Interaction = {
      ...{ id, key: `interaction:${id}`, createdAt: machine.now },
      packet: packetOf(id, member, slash),
      deliveredTo: undefined,
      isInTime: false,
      state: 'nothing',
      shown: undefined,
      whispered: undefined,
      isRecorded: false,
    };
    this.#interactions.set(id, interaction);
    this.#send(interaction);
  }

  /** The gateway delivers an event once more. */
  redeliver(id: string): void {
    const interaction = this.#interactions.get(id);
    if (interaction === undefined) return;
    this.#world.count('discord-redelivered');
    this.#send(interaction);
  }

  #send(interaction: Interaction): void {
    if (this.#waiting !== undefined) this.#waiting.push(interaction);
    else this.#deliverAfter(this.#world.chance.between(1, 80), interaction);
  }

  /** Always an event of its own, so that what follows from it ends with the life that gets it. */
  #deliverAfter(afterMs: number, interaction: Interaction): void {
    this.#underWay += 1;
    machine.outside(afterMs, () => {
      this.#underWay -= 1;
      this.#deliver(interaction);
    });
  }

  #deliver(interaction: Interaction): void {
    const { life, trace } = this.#world;
    if (this.receive === undefined || life.isDying) return;
    trace.say(`/${interaction.packet.data.name} ${interaction.id}`);
    this.#world.count('discord-interactions');
    interaction.deliveredTo = life;
    interaction.isInTime ||= this.#isOpen(interaction);
    this.#delivered.push(interaction);
    this.receive(interaction.packet);
  }

  #isOpen({ createdAt }: Interaction): boolean {
    return machine.now - createdAt < ANSWER_WITHIN_MS;
  }

  /** The connection breaks; after a while it is resumed, and Discord delivers what it may have lost. */
  closeGateway(): void {
    if (this.#waiting !== undefined) return;
    this.#world.count('gateway-closed');
    this.#waiting = [];
    machine.outside(this.#world.chance.between(50, 9_000), () => this.#resume());
  }

  #resume(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    const { chance, trace } = this.#world;
    trace.say(`the gateway is back, ${waiting.length} waited`);
    // A session that is over is not resumed: what came meanwhile is lost.
    if (chance.percent(20)) return;
    const again = this.#delivered.slice(-chance.between(0, REPLAYED_MAX));
    this.#world.count('discord-redelivered', again.length);
    for (const interaction of [...again, ...waiting]) this.#deliverAfter(1, interaction);
  }

  /** The next requests fail in this way; an outage lasts, so that the library's own repeats do not help. */
  arm(fault: DiscordFault): void {
    const { chance } = this.#world;
    if (fault === 'discord-500' && chance.percent(60)) {
      if (machine.now < this.#isDownUntil + BETWEEN_OUTAGES_MS) return;
      this.#world.count('discord-outage');
      this.#isDownUntil = machine.now + chance.between(500, OUTAGE_MAX_MS);
      return;
    }
    const times = fault === 'discord-500' ? chance.between(1, 12) : chance.between(1, 3);
    for (let n = 0; n < times; n += 1) this.#faults.push(fault);
  }

  calmDown(): void {
    this.#faults = [];
    this.#isDownUntil = 0;
    this.#resume();
  }

  /** What the program wrote into its log about an interaction. */
  onLog(message: string, facts: object): void {
    const { interactionId, error } = facts as Readonly<Record<string, unknown>>;
    if (message === 'The member may not have been told.') {
      const interaction = this.#interactions.get(String(interactionId));
      if (interaction !== undefined) this.#onGivenUp(interaction);
    }
    const isBroken = /^An interaction (?:broke|could not be answered)\.$/.test(message);
    const why = JSON.stringify(error);
    const isInjected = /database is locked|disk is full|rolled the transaction back/.test(why);
    if (isBroken && !isInjected) this.#world.break(`${message} ${String(interactionId)}: ${why}`);
  }

  #onGivenUp(interaction: Interaction): void {
    const { key, createdAt, state } = interaction;
    interaction.isRecorded = true;
    const afterMs = machine.now - createdAt;
    if (state === 'nothing' && afterMs < NOT_GIVEN_UP_BEFORE_MS) {
      this.#world.break(`${key} was left unanswered after ${afterMs} ms`);
    }
  }

  /** A request of the bot: it arrives after a while, and its answer too, if it does. */
  request(url: string, method: string, body: unknown): Promise<Answer> {
    const { chance, life } = this.#world;
    const comeBack = machine.wayBack();
    return new Promise((resolve, reject) => {
      machine.outside(chance.between(1, 150), () => {
        const fault = this.#takeFault();
        const isTaken = fault === undefined || fault === 'discord-answer-lost';
        this.#isOfTheDead = life !== this.#world.life;
        const answer = isTaken ? this.#take(url, method, body) : FAILED[fault];
        comeBack(chance.between(1, 150), () => {
          if (fault === 'discord-answer-lost') reject(connectionCut());
          else resolve(answer);
        });
      });
    });
  }

  #takeFault(): DiscordFault | undefined {
    const fault = machine.now < this.#isDownUntil ? 'discord-500' : this.#faults.shift();
    if (fault !== undefined) {
      this.#world.count(fault);
      this.#world.trace.say(`fault: ${fault}`);
    }
    return fault;
  }

  #take(url: string, method: string, body: unknown): Answer {
    const callback = /\/interactions\/(\d+)\/[^/]+\/callback/.exec(url);
    if (callback !== null) return this.#answerFirst(callback[1] ?? '', body);
    const webhook = /\/webhooks\/\d+\/token-(\d+)(\/messages\/(?:@|%40)original)?/.exec(url);
    const interaction = this.#interactions.get(webhook?.[1] ?? '');
    if (interaction === undefined) return { status: 404, body: { code: 10_015, message: 'none' } };
    const message = { id: interaction.id, channel_id: '3' };
    if (webhook?.[2] === undefined) {
      interaction.whispered = body as Message;
    } else if (method === 'DELETE') {
      interaction.shown = undefined;
      interaction.state = 'answered';
      return { status: 204 };
    } else {
      interaction.shown = body as Message;
      interaction.state = 'answered';
    }
    this.#hear(interaction, body as Message);
    return { status: 200, body: message };
  }

  #answerFirst(id: string, body: unknown): Answer {
    const interaction = this.#interactions.get(id);
    if (interaction === undefined || !this.#isOpen(interaction)) {
      // Once it was acknowledged, it is never told to be unknown.
      if (interaction === undefined || interaction.state === 'nothing') {
        return { status: 404, body: { code: 10_062, message: 'Unknown interaction' } };
      }
    }
    if (interaction.state !== 'nothing') {
      return { status: 400, body: { code: 40_060, message: 'Already acknowledged' } };
    }
    const { type, data } = body as { readonly type: number; readonly data: Message };
    interaction.state = type === 4 ? 'answered' : 'thinking';
    if (type !== 4) return { status: 204 };
    interaction.shown = data;
    this.#hear(interaction, data);
    return { status: 204 };
  }

  /** Whoever is told that something was done must find it so; whoever is told that it was not, too. */
  #hear({ key, packet }: Interaction, message: Message): void {
    const row = this.#world.oracle.findByKey(key);
    const told = toldBy(message);
    this.#world.trace.say(`${key} is told: ${told}`);
    const name = `/${packet.data.name} ${key}`;
    if (told === 'refused' || told === 'broken') {
      // What was true when a process said it may arrive after the process, and after what the next one did.
      const isRefused = told === 'refused' && row !== undefined && !this.#isOfTheDead;
      if (isRefused) this.#world.break(`${name} was refused and is ${row.state}`);
    } else if (row === undefined) {
      this.#world.break(`${name} was shown as ${told} and is not there`);
    } else if (told !== 'prepared' && told !== row.state) {
      this.#world.break(`${name} was shown as ${told} and is ${row.state}`);
    }
  }

  /** Everybody whose interaction reached the present life was told its end, and none is on its way. */
  get isQuiet(): boolean {
    return this.#underWay === 0 && this.#listUntold().length === 0;
  }

  /** When all trouble is over and the program has had its time. */
  checkTold(): void {
    const [untold] = this.#listUntold();
    if (untold !== undefined) this.#world.break(untold);
    for (const interaction of this.#interactions.values()) {
      const row = this.#world.oracle.findByKey(interaction.key);
      const isLate = !interaction.isInTime && interaction.state === 'nothing';
      if (isLate && row !== undefined) {
        this.#world.break(`${interaction.key} came when nobody waited, and is ${row.state}`);
      }
    }
  }

  #listUntold(): readonly string[] {
    const untold: string[] = [];
    for (const interaction of this.#interactions.values()) {
      if (interaction.deliveredTo !== this.#world.life) continue;
      const { key, state, shown, whispered, isRecorded } = interaction;
      if (state === 'thinking') untold.push(`${key} was left thinking`);
      if (state === 'nothing' && !isRecorded) untold.push(`${key} was not answered`);
      if (state === 'answered' && whispered === undefined && shown === undefined) {
        untold.push(`${key} was told nothing`);
      }
      const told = shown && toldBy(shown);
      const is = this.#world.oracle.findByKey(key)?.state;
      if (told === 'prepared' && is !== told)
        untold.push(`${key} is ${is} and still reads pending`);
      if (told === 'refused' && is !== undefined) untold.push(`${key} is ${is} and reads refused`);
    }
    return untold;
  }
}

const FAILED: Readonly<Record<'discord-500' | 'discord-429', Answer>> = {
  'discord-500': { status: 500, body: { code: 0, message: 'Internal Server Error' } },
  'discord-429': {
    status: 429,
    body: { message: 'You are being rate limited.', retry_after: 0.4, global: false },
    retryAfterS: 0.4,
  },
};

function connectionCut(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}

/** What a message says of the movement that was asked for. */
function toldBy({ content, embeds, flags }: Message): string {
  const footer = embeds[0]?.footer?.text ?? '';
  if (/pending$/.test(footer)) return 'prepared';
  if (/(?:committed|settled)$/.test(footer)) return 'settled';
  if (/rejected$/.test(footer)) return 'voided';
  if (/^You received|^💸/.test(content)) return 'settled';
  if (content.startsWith('Something broke')) return 'broken';
  return flags === EPHEMERAL || content !== '' ? 'refused' : 'nothing';
}

function packetOf(
  id: string,
  member: Person,
  { name, options }: Slash,
): APIChatInputApplicationCommandInteraction {
  const people = options.flatMap((option) => ('person' in option ? [option.person] : []));
  // SAFETY: what the bot and discord.js read of it is there; Discord sends more.
  return {
    ...{ id, application_id: APPLICATION, type: 2, version: 1, token: `token-${id}` },
    ...{ guild_id: '2', channel_id: '3', locale: 'en-US', app_permissions: '0', context: 0 },
    entitlements: [],
    authorizing_integration_owners: {},
    member: { ...membershipOf(), user: userOf(member) },
    data: {
      ...{ id: '9', name, type: 1 },
      options: options.map((option) => ({ name: option.name, ...valueOf(option) })),
      resolved: {
        users: Object.fromEntries(people.map((person) => [person.memberId, userOf(person)])),
        members: Object.fromEntries(people.map(({ memberId }) => [memberId, membershipOf()])),
      },
    },
  } as unknown as APIChatInputApplicationCommandInteraction;
}

function valueOf(option: SlashOption): object {
  if ('text' in option) return { type: 3, value: option.text };
  if ('count' in option) return { type: 4, value: option.count };
  return { type: 6, value: option.person.memberId };
}

const userOf = ({ memberId, name }: Person): object => ({
  ...{ id: memberId, username: name, discriminator: '0', avatar: null, global_name: null },
});

const membershipOf = (): object => ({
  ...{ roles: [], joined_at: null, permissions: '0', flags: 0, nick: null, avatar: null },
});

/** From now on requests go to this Discord. */
export function goOnline(discord: SimulatedDiscord): void {
  present = discord;
}

/** Puts the simulated Discord under the REST manager of discord.js, for good. */
export function installDiscord(): void {
  const makeRequest: typeof DefaultRestOptions.makeRequest = async (url, init) => {
    const { method, body, signal } = init;
    if (present === undefined) throw new Error('there is no Discord');
    const answered = present.request(url, method ?? 'GET', jsonOf(body));
    const answer = await unlessAborted(answered, signal ?? undefined);
    const { status, body: content, retryAfterS } = answer;
    const headers = new Headers(
      content === undefined ? {} : { 'content-type': 'application/json' },
    );
    if (retryAfterS !== undefined) headers.set('retry-after', String(retryAfterS));
    const response: object = {
      ...{ status, statusText: String(status), ok: status < 300, headers, body: null },
      bodyUsed: false,
      json: () => Promise.resolve(content),
      text: () => Promise.resolve(JSON.stringify(content)),
      arrayBuffer: () => Promise.resolve(new ArrayBuffer(0)),
    };
    // SAFETY: all that discord.js reads of an answer.
    return response as Awaited<ReturnType<typeof makeRequest>>;
  };
  Object.assign(DefaultRestOptions, { makeRequest });
}

/** The JSON of a request, which comes alone or in a form beside its files. */
function jsonOf(body: unknown): unknown {
  const json = isForm(body) ? body.get('payload_json') : body;
  return typeof json === 'string' ? (JSON.parse(json) as unknown) : undefined;
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => {
      reject(new DOMException('This operation was aborted', 'AbortError'));
    });
    work.then(resolve, reject);
  });
}

/** The form may be of the class of another copy of the library. */
function isForm(body: unknown): body is FormData {
  return typeof body === 'object' && body !== null && 'get' in body;
}
