// The node's role: chosen by the operator, or found out by asking the remote, again and again while the node runs.
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Beacon } from './beacon.ts';
import type { NodeRole, RoleEvent } from './node.ts';

/** How many of the newest events are kept for people to look at. */
const MAX_EVENTS = 20;

interface RoleOptions {
  readonly beacon: Pick<Beacon, 'checkPushRight'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `auto`: validator while the remote lets us push. */
  readonly role: 'auto' | NodeRole;
}

/** Knows which role the node has now, since when and why. */
export class Role {
  readonly #options: RoleOptions;
  /** Newest first; never empty. */
  readonly #events: RoleEvent[];

  private constructor(options: RoleOptions, first: RoleEvent) {
    this.#options = options;
    this.#events = [first];
  }

  /** @throws AppError BEACON_UNREACHABLE and the beacon's others when it is to be asked and does not answer. */
  static async find(options: RoleOptions): Promise<Role> {
    return new Role(options, await askRole(options));
  }

  get current(): NodeRole {
    return this.events[0]?.role ?? 'observer';
  }

  /** Newest first, the one that gave the present role at the head. */
  get events(): readonly RoleEvent[] {
    return this.#events;
  }

  /** Asks the remote again; a role that the operator set stays. One that does not answer changes nothing. */
  async recheck(): Promise<void> {
    const { role, logger } = this.#options;
    if (role !== 'auto') return;
    try {
      const found = await askRole(this.#options);
      if (found.role === this.current) return;
      this.#events.unshift(found);
      this.#events.splice(MAX_EVENTS);
      logger.warn({ role: found.role, reason: found.reason }, 'the role of the node changed');
    } catch (error) {
      logger.warn({ err: error }, 'the beacon did not say whether it takes pushes');
    }
  }
}

async function askRole({ beacon, clock, role }: RoleOptions): Promise<RoleEvent> {
  if (role !== 'auto') return { role, reason: 'set by NODE_ROLE', at: clock.now() };
  const right = await beacon.checkPushRight();
  const at = clock.now();
  return right.granted
    ? { role: 'validator', reason: 'the beacon takes pushes from this node', at }
    : { role: 'observer', reason: right.reason, at };
}
