// One interaction as it goes: waiting for the first answer, then the reply's states and the follow-ups.
import type { Exchange, FaultMet, FirstResponse, ModalHandle, Violation } from './api.ts';
import { FLAG } from './wire.ts';
import type { WireChoice, WireMessage } from './wire.ts';
import type { World } from './world.ts';

const DEFAULT_WAIT_MS = 5000;

/** An interaction payload as the gateway sends it. */
export type InteractionPayload = Readonly<Record<string, unknown>>;

/** What is known of an interaction when it is sent off. */
export interface ExchangeStart {
  id: string;
  token: string;
  kind: Exchange['kind'];
  memberId: string;
  channelId: string;
  payload: InteractionPayload;
  /** The message whose component was used, directly or through a modal. */
  sourceMessageId: string | undefined;
  /** The command's name with its subcommand, for the line above the reply. */
  commandName: string | undefined;
}

/** The stand-in's own view of an exchange, which a test sees as `Exchange`. */
export class LiveExchange implements Exchange {
  readonly id: string;
  readonly kind: Exchange['kind'];
  readonly memberId: string;
  readonly channelId: string;
  readonly token: string;
  readonly payload: InteractionPayload;
  readonly sourceMessageId: string | undefined;
  readonly commandName: string | undefined;
  readonly startedAt: number;
  readonly edits: WireMessage[] = [];
  readonly violations: Violation[] = [];
  readonly followUpIds: string[] = [];
  readonly faults: FaultMet[] = [];
  readonly callsAt: number[] = [];
  deliveredAt: number | undefined;
  /** The message that `@original` names, once there is one. */
  originalId: string | undefined;
  /** Whether the token was ended before its time. */
  expired = false;
  deleted = false;
  /** The sending off of the modal that was the answer, if it has been. */
  submission: LiveExchange | undefined;
  readonly #world: World;
  readonly #watchers = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #first: FirstResponse | undefined;

  constructor(world: World, start: ExchangeStart, firstAnswerMs: number) {
    this.#world = world;
    this.id = start.id;
    this.kind = start.kind;
    this.memberId = start.memberId;
    this.channelId = start.channelId;
    this.token = start.token;
    this.payload = start.payload;
    this.sourceMessageId = start.sourceMessageId;
    this.commandName = start.commandName;
    this.startedAt = world.now();
    this.#timer = setTimeout(() => this.answer({ kind: 'did-not-respond' }), firstAnswerMs);
  }

  /** The first response, if there is one already. */
  get first(): FirstResponse | undefined {
    return this.#first;
  }

  /** Sets the first response; only the first call counts. */
  answer(first: FirstResponse): void {
    if (this.#first !== undefined) return;
    clearTimeout(this.#timer);
    this.#first = first;
    this.#world.emit({ type: 'exchange', exchange: this, first });
    this.touch();
  }

  /** Whether the modal is off the screen: sent, and the bot did not let the member down. */
  modalTaken(): boolean {
    return this.submission !== undefined && this.submission.first?.kind !== 'did-not-respond';
  }

  /** Stops waiting, for when the stand-in closes. */
  abandon(): void {
    this.answer({ kind: 'did-not-respond' });
  }

  /** Notes the state of the reply after a change. */
  noteReply(message: WireMessage): void {
    this.edits.push(message);
    this.touch();
  }

  /** Wakes up who waits for a change. */
  touch(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  message(): WireMessage | undefined {
    return this.#world.findMessage(this.originalId ?? '')?.wire;
  }

  followUps(): readonly WireMessage[] {
    return this.followUpIds.flatMap((id) => this.#world.findMessage(id)?.wire ?? []);
  }

  async firstResponse(): Promise<FirstResponse> {
    return this.#until(
      () => this.#first,
      undefined,
      () => 'no first response',
    );
  }

  async modal(): Promise<ModalHandle> {
    const first = await this.firstResponse();
    if (first.kind !== 'modal') throw new Error(`Expected a modal, ${this.#describe()}`);
    return first.modal;
  }

  async choices(): Promise<readonly WireChoice[]> {
    const first = await this.firstResponse();
    if (first.kind !== 'choices') throw new Error(`Expected choices, ${this.#describe()}`);
    return first.choices;
  }

  async reply(timeoutMs = DEFAULT_WAIT_MS): Promise<WireMessage> {
    return this.settledWhen(() => true, timeoutMs);
  }

  async settledWhen(
    predicate: (message: WireMessage) => boolean,
    timeoutMs = DEFAULT_WAIT_MS,
  ): Promise<WireMessage> {
    return this.#until(
      () => {
        const kind = this.#first?.kind;
        if (kind === 'did-not-respond' || kind === 'modal' || kind === 'choices') {
          throw new Error(`Expected a reply, ${this.#describe()}`);
        }
        const message = kind === undefined ? undefined : this.#replied(kind);
        return message !== undefined && predicate(message) ? message : undefined;
      },
      timeoutMs,
      () => `the reply did not come to what was awaited: ${this.#describe()}`,
    );
  }

  async followUpsReach(
    count: number,
    timeoutMs = DEFAULT_WAIT_MS,
  ): Promise<readonly WireMessage[]> {
    return this.#until(
      () => (this.followUps().length >= count ? this.followUps() : undefined),
      timeoutMs,
      () => `${this.followUps().length} of ${count} follow-ups came: ${this.#describe()}`,
    );
  }

  /** The reply if it shows something that came from this exchange. */
  #replied(kind: FirstResponse['kind']): WireMessage | undefined {
    if (kind === 'deferred-update' && this.edits.length === 0) return undefined;
    const message = this.message();
    return message !== undefined && (message.flags & FLAG.loading) === 0 ? message : undefined;
  }

  #describe(): string {
    const state = {
      kind: this.kind,
      first: this.#first?.kind ?? 'nothing yet',
      reply: this.message(),
      violations: this.violations,
    };
    return `interaction ${this.id}: ${JSON.stringify(state, undefined, 1)}`;
  }

  /** Resolves once `look` finds something, looking again at every change. */
  #until<Found>(
    look: () => Found | undefined,
    timeoutMs: number | undefined,
    complaint: () => string,
  ): Promise<Found> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
      };
      const check = (): void => {
        try {
          const found = look();
          if (found === undefined) return;
          stop();
          resolve(found);
        } catch (error) {
          stop();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const giveUp = (): void => {
        stop();
        reject(new Error(`After ${timeoutMs ?? 0} ms ${complaint()}`));
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs);
      this.#watchers.add(check);
      check();
    });
  }
}
