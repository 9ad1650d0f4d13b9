// How Discord says no: the JSON error bodies, their codes and the nested errors of an invalid form.

/** The part of an Invalid Form Body that names what is wrong where. */
export interface FormErrorTree {
  [key: string]: FormErrorTree | { code: string; message: string }[];
}

/** A request that Discord would refuse: HTTP status, JSON code and words. */
export class DiscordRefusal extends Error {
  override readonly name = 'DiscordRefusal';
  readonly status: number;
  readonly code: number;
  readonly errors: FormErrorTree | undefined;

  constructor(status: number, code: number, message: string, errors?: FormErrorTree) {
    super(message);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }

  /** The answer's body, as Discord words it. */
  body(): { message: string; code: number; errors?: FormErrorTree } {
    return {
      message: this.message,
      code: this.code,
      ...(this.errors === undefined ? {} : { errors: this.errors }),
    };
  }
}

/** The refusals without a form, by name. */
export const refuse = {
  general: (status: number): DiscordRefusal =>
    new DiscordRefusal(
      status,
      0,
      `${status}: ${status === 404 ? 'Not Found' : 'Method Not Allowed'}`,
    ),
  unauthorized: (): DiscordRefusal => new DiscordRefusal(401, 0, '401: Unauthorized'),
  unknownChannel: (): DiscordRefusal => new DiscordRefusal(404, 10003, 'Unknown Channel'),
  unknownGuild: (): DiscordRefusal => new DiscordRefusal(404, 10004, 'Unknown Guild'),
  unknownMember: (): DiscordRefusal => new DiscordRefusal(404, 10007, 'Unknown Member'),
  unknownMessage: (): DiscordRefusal => new DiscordRefusal(404, 10008, 'Unknown Message'),
  unknownUser: (): DiscordRefusal => new DiscordRefusal(404, 10013, 'Unknown User'),
  unknownWebhook: (): DiscordRefusal => new DiscordRefusal(404, 10015, 'Unknown Webhook'),
  unknownInteraction: (): DiscordRefusal => new DiscordRefusal(404, 10062, 'Unknown interaction'),
  unknownCommand: (): DiscordRefusal =>
    new DiscordRefusal(404, 10063, 'Unknown application command'),
  missingAccess: (): DiscordRefusal => new DiscordRefusal(403, 50001, 'Missing Access'),
  otherAuthor: (): DiscordRefusal =>
    new DiscordRefusal(403, 50005, 'Cannot edit a message authored by another user'),
  emptyMessage: (): DiscordRefusal =>
    new DiscordRefusal(400, 50006, 'Cannot send an empty message'),
  cannotMessageUser: (): DiscordRefusal =>
    new DiscordRefusal(403, 50007, 'Cannot send messages to this user'),
  invalidToken: (): DiscordRefusal => new DiscordRefusal(401, 50027, 'Invalid Webhook Token'),
  alreadyAcknowledged: (): DiscordRefusal =>
    new DiscordRefusal(400, 40060, 'Interaction has already been acknowledged.'),
  tooLarge: (): DiscordRefusal => new DiscordRefusal(413, 40005, 'Request entity too large'),
  invalidJson: (): DiscordRefusal =>
    new DiscordRefusal(400, 50109, 'The request body contains invalid JSON.'),
} as const;

/** Collects what is wrong with a form, and throws it all at once as code 50035. */
export class FormErrors {
  readonly #prefix: readonly PropertyKey[];
  readonly #tree: FormErrorTree = {};
  #count = 0;

  /** `prefix` is put before every path, as Discord puts `data` for interaction callbacks. */
  constructor(prefix: readonly PropertyKey[] = []) {
    this.#prefix = prefix;
  }

  /** Whether nothing is wrong so far. */
  get empty(): boolean {
    return this.#count === 0;
  }

  /** Notes one fault at a path. */
  add(path: readonly PropertyKey[], code: string, message: string): void {
    let node: FormErrorTree = this.#tree;
    for (const key of [...this.#prefix, ...path].map(String)) {
      // A name from outside may be one that every object has, such as `constructor`.
      const below = Object.hasOwn(node, key) ? node[key] : undefined;
      const next: FormErrorTree = below === undefined || Array.isArray(below) ? {} : below;
      node[key] = next;
      node = next;
    }
    const here = Object.hasOwn(node, '_errors') ? node['_errors'] : undefined;
    const faults = Array.isArray(here) ? here : [];
    faults.push({ code, message });
    node['_errors'] = faults;
    this.#count += 1;
  }

  /** The refusal to throw or to send. */
  refusal(): DiscordRefusal {
    return new DiscordRefusal(400, 50035, 'Invalid Form Body', this.#tree);
  }

  /** Throws when anything was noted. */
  throwIfAny(): void {
    if (!this.empty) throw this.refusal();
  }
}
