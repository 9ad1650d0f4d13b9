// The beacon as it looks over a network with faults: slow, cut, half-written, half-seen, with others in between.
import type {
  Advertisement,
  Beacon,
  ChainCommit,
  CommitDraft,
  PushResult,
  PushRight,
  ReservedChange,
  ReservedFiles,
} from '../../src/chain/beacon.ts';
import { branchOf } from '../../src/chain/refs.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { CommitId } from '../../src/shared/ids.ts';
import { MemoryBeacon, type MemoryRemote } from '../support/beacon-memory.ts';
import { machine } from './machine.ts';
import type { World } from './world.ts';

/** What may happen to a push. */
export const PUSH_FAULTS = [
  'push-refused',
  'push-refused-for-good',
  'push-answer-lost',
  'push-cut',
  'push-late',
  'push-half-written',
  'push-overtaken',
  'push-slow',
] as const;
export type PushFault = (typeof PUSH_FAULTS)[number];

/** A push that was cut off arrives within this time, or never; the node waits two minutes. */
const LATEST_MS = 100_000;
const SLOW_MS = 30_000;

export class SimulatedBeacon implements Beacon {
  readonly description = 'simulated';
  readonly epochBranch: string;
  readonly #world: World;
  readonly #remote: MemoryRemote;
  readonly #inner: MemoryBeacon;

  constructor(world: World) {
    this.#world = world;
    this.#remote = world.remote;
    this.#inner = new MemoryBeacon(world.remote);
    this.epochBranch = this.#inner.epochBranch;
  }

  get epoch(): CommitId {
    return this.#inner.epoch;
  }

  isEpoch(commitId: CommitId): boolean {
    return this.#inner.isEpoch(commitId);
  }

  async isAncestor(
    commitId: CommitId,
    branch: string,
    tip: CommitId,
  ): Promise<boolean | undefined> {
    await this.#travel();
    return this.#inner.isAncestor(commitId, branch, tip);
  }

  async checkPushRight(): Promise<PushRight> {
    await this.#travel();
    return this.#inner.checkPushRight();
  }

  /** Refs are read one by one: what moves meanwhile is seen as it was or as it is, a branch and its tag each for itself. */
  async advertise(): Promise<Advertisement> {
    await this.#travel();
    const before = await this.#inner.advertise();
    await this.#travel();
    const after = await this.#inner.advertise();
    if (!this.#world.isDiskFull) this.#world.looks += 1;
    return {
      branches: this.#mix(before.branches, after.branches),
      tags: this.#mix(before.tags, after.tags),
    };
  }

  #mix<Id>(before: ReadonlyMap<string, Id>, after: ReadonlyMap<string, Id>): Map<string, Id> {
    const mixed = new Map(after);
    for (const [name, id] of after) {
      const old = before.get(name);
      if (old === id || this.#world.chance.percent(50)) continue;
      this.#world.count('refs-half-seen');
      if (old === undefined) mixed.delete(name);
      else mixed.set(name, old);
    }
    return mixed;
  }

  async bringBranches(): Promise<void> {
    await this.#travel();
    await this.#inner.bringBranches();
  }

  async readBranches(
    tips: ReadonlyMap<string, CommitId>,
    isKnown: (commitId: CommitId, branch: string) => boolean,
  ): Promise<ReadonlyMap<string, readonly ChainCommit[]>> {
    await this.#travel();
    return this.#inner.readBranches(tips, isKnown);
  }

  push(drafts: readonly CommitDraft[]): Promise<PushResult> {
    const { chance } = this.#world;
    this.#world.onPush();
    const fault = this.#world.takePushFault();
    const comeBack = machine.wayBack();
    const latency = fault === 'push-slow' ? chance.between(1_000, SLOW_MS) : this.#latency();
    const { inAir } = this.#world;
    const flight = drafts.map(({ assetId }) => assetId);
    inAir.add(flight);
    return new Promise((resolve) => {
      const answer = (result: PushResult): void => {
        comeBack(this.#latency(), () => resolve(result));
      };
      const isLate = fault === 'push-late';
      if (isLate) answer({ outcome: 'unknown', reason: 'the connection was cut' });
      machine.outside(isLate ? chance.between(1, LATEST_MS) : latency, () => {
        inAir.delete(flight);
        if (isLate) this.#apply(drafts, () => undefined);
        else this.#arrive(drafts, fault, answer);
      });
    });
  }

  /** The push has reached the remote, or a fault on the way. */
  #arrive(
    drafts: readonly CommitDraft[],
    fault: PushFault | undefined,
    answer: (result: PushResult) => void,
  ): void {
    const unknown = (reason: string): void => answer({ outcome: 'unknown', reason });
    const refuse = (reason: string, retryable: boolean): void =>
      answer({ outcome: 'refused', stale: [], reason, retryable });
    if (fault === 'push-refused') refuse('locked', true);
    else if (fault === 'push-refused-for-good') refuse('declined', false);
    else if (fault === 'push-cut') unknown('the connection was cut');
    else if (fault === 'push-half-written') {
      this.#writeHalf(drafts);
      unknown('the remote died');
    } else if (fault === 'push-answer-lost') {
      this.#apply(drafts, () => unknown('the answer was lost'));
    } else {
      const overtaken = fault === 'push-overtaken' ? this.#world.chance.pick(drafts) : undefined;
      if (overtaken !== undefined) this.#world.moveByStranger(overtaken.assetId);
      this.#apply(drafts, answer);
    }
  }

  #apply(drafts: readonly CommitDraft[], answer: (result: PushResult) => void): void {
    void this.#inner.push(drafts).then((result) => {
      this.#world.trace.say(`push of ${drafts.length}: ${result.outcome}`);
      this.#world.check(`push ${result.outcome}`);
      answer(result);
    });
  }

  /** A remote that dies in the middle of a push that it does not take as one: some branches stand, some of them tagged. */
  #writeHalf(drafts: readonly CommitDraft[]): void {
    const { chance } = this.#world;
    const { branches, tags, epoch } = this.#remote;
    for (const { transactionId } of drafts) this.#world.halfWritten.add(transactionId);
    for (const draft of drafts.slice(0, chance.between(1, drafts.length))) {
      const tip = branches.get(branchOf(draft.assetId)) ?? epoch;
      if (tip !== draft.parent || tags.has(draft.transactionId)) continue;
      const commit = this.#remote.addDraft(draft);
      branches.set(branchOf(draft.assetId), commit);
      if (chance.percent(50)) tags.set(draft.transactionId, commit);
    }
    this.#world.trace.say(`push of ${drafts.length}: half-written`);
    this.#world.check('push half-written');
  }

  async readReserved(maxBytes: number, wants: (path: string) => boolean): Promise<ReservedFiles> {
    await this.#travel();
    return this.#inner.readReserved(maxBytes, wants);
  }

  async writeReserved(change: ReservedChange): Promise<'written' | 'stale'> {
    await this.#travel();
    const result = await this.#inner.writeReserved(change);
    this.#world.oracle.checkReveals();
    await this.#travel();
    if (this.#world.isTroubled && this.#world.chance.percent(5)) {
      this.#world.count('reserved-answer-lost');
      throw new AppError('BEACON_UNREACHABLE');
    }
    return result;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #latency(): number {
    return this.#world.chance.between(1, this.#world.isSlow ? 4_000 : 60);
  }

  async #travel(): Promise<void> {
    await machine.pause(this.#latency());
  }
}
