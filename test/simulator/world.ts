// One simulated world: the remote, the disk, the program's present life, and the trouble that it is in.
import BetterSqlite3 from 'better-sqlite3';
import type { CommitId } from '../../src/shared/ids.ts';
import { MemoryRemote, moveByStranger } from '../support/beacon-memory.ts';
import { Chance } from './chance.ts';
import { openMemory, startLife, type Handle, type Life } from './house.ts';
import { machine } from './machine.ts';
import { disk } from './memory-disk.ts';
import { Oracle } from './oracle.ts';
import type { PushFault } from './simulated-beacon.ts';
import { goOnline, SimulatedDiscord } from './simulated-discord.ts';
import type { Trace } from './trace.ts';

const WORLD_STREAM = 2;

/** What may happen to the next commit of the state database. */
export type CommitFault =
  | 'database-busy'
  | 'database-full-at-commit'
  | 'database-full-rolled-back'
  | 'killed-before-commit'
  | 'killed-after-commit';

/** An invariant that does not hold: the seed has failed. */
export class Broken extends Error {}

interface Rewriting {
  readonly refs: Map<string, CommitId>;
  readonly name: string;
  readonly was: CommitId;
  readonly isBranch: boolean;
}

/** How one life ends. */
export type Ending = 'killed' | 'power-cut' | 'stopped';

export class World {
  readonly chance: Chance;
  readonly remote = new MemoryRemote();
  readonly trace: Trace;
  readonly oracle: Oracle;
  readonly discord: SimulatedDiscord;
  /** Transactions of pushes that the remote has kept only in part. */
  readonly halfWritten = new Set<string>();
  /** The assets of every push that has not arrived yet, whether or not the node still waits for it. */
  readonly inAir = new Set<readonly string[]>();
  /** What happened how often. */
  readonly counts = new Map<string, number>();
  /** False once all trouble has stopped. */
  isTroubled = true;
  isSlow = false;
  isDiskFull = false;
  /** What survives every life: the state database, and the index unless it gets lost. */
  readonly state: Handle;
  index: Handle = openMemory();
  life: Life;
  /** The ref that was rewritten, and where it stood. */
  rewriting: Rewriting | undefined;
  /** How often the program has looked at the remote since, with room to remember what it saw. */
  looks = 0;
  /** The first thing that went wrong. */
  broken: Broken | undefined;
  readonly #strangers = new Set<string>();
  #pushFaults: PushFault[] = [];
  #commitFaults: CommitFault[] = [];
  #close: (() => Promise<void>) | undefined;

  constructor(seed: number, state: Buffer, trace: Trace) {
    this.chance = new Chance(seed, WORLD_STREAM);
    this.trace = trace;
    this.state = openMemory(state);
    this.oracle = new Oracle(this);
    this.discord = new SimulatedDiscord(this);
    goOnline(this.discord);
    this.#putFaultsUnder(this.state);
    this.life = startLife(this);
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  /** Remembers the first thing that is broken; the run ends with it. */
  break(what: string, stack?: string): void {
    this.trace.say(`BROKEN: ${what}`);
    if (stack !== undefined) this.trace.print(stack);
    this.broken ??= new Broken(what);
  }

  /** Holds the world against its invariants. */
  check(after: string): void {
    if (this.broken === undefined) this.oracle.check(after);
  }

  /** An audit that meets a fault of ours cannot look: all stands still, which the calm has to end. */
  onFinding(facts: object): void {
    const { invariant, detail } = facts as {
      readonly invariant?: string;
      readonly detail?: string;
    };
    const isOurDoing = / (?:is locked|is full|ENOSPC)/.test(detail ?? '');
    if (this.isTroubled && invariant === 'audit' && isOurDoing) {
      this.count('audit-could-not-look');
      return;
    }
    this.break(`the audit found ${JSON.stringify(facts)}`);
  }

  onClose(life: Life, close: () => Promise<void>): void {
    if (life === this.life) this.#close = close;
  }

  /** Another node moves an asset; not one whose newest transaction has no tag yet, for nobody knows that one's passphrase. */
  moveByStranger(assetId: string): void {
    const tip = this.oracle.tipOf(assetId);
    if (this.rewriting !== undefined) return;
    if (tip !== undefined && !this.remote.tags.has(tip.transaction_id)) return;
    this.count('foreign-hand-over');
    this.#strangers.add(moveByStranger(this.remote, assetId));
    this.trace.say(`a stranger moved ${assetId}`);
  }

  /** Somebody sets a branch back, deletes it, or moves a tag. */
  rewriteHistory(): void {
    const { branches, tags } = this.remote;
    const refs = this.chance.percent(70) ? branches : tags;
    const name = this.chance.pick([...refs.keys()].filter((each) => this.#mayRewrite(refs, each)));
    const was = name === undefined ? undefined : refs.get(name);
    if (name === undefined || was === undefined || this.rewriting !== undefined) return;
    const parent = this.remote.commits.get(was)?.parents[0];
    const isDeleted = refs === branches && this.chance.percent(50);
    if (isDeleted) refs.delete(name);
    else refs.set(name, parent ?? this.remote.epoch);
    this.count('history-rewritten');
    this.trace.say(`${name} is ${isDeleted ? 'deleted' : 'set back'}`);
    this.rewriting = { refs, name, was, isBranch: refs === branches };
    this.looks = 0;
  }

  /** Only what the program knows by now, and nothing that is on its way. */
  #mayRewrite(refs: ReadonlyMap<string, string>, name: string): boolean {
    if (refs === this.remote.tags) return this.oracle.isSettled(name);
    const assetId = name.slice('nfgt-'.length);
    // What is in the air would make the ref anew behind the back of whoever took it away.
    const isInAir = [...this.inAir].some((assetIds) => assetIds.includes(assetId));
    return name.startsWith('nfgt-') && !isInAir && this.oracle.isQuiet(assetId);
  }

  /** The host puts the ref back to where it stood. */
  putBack(): void {
    if (this.rewriting === undefined) return;
    const { refs, name, was } = this.rewriting;
    refs.set(name, was);
    this.rewriting = undefined;
    this.trace.say(`${name} is put back`);
  }

  /** A push leaves the node: never one of a node that has had two full looks at a rewritten history. */
  onPush(): void {
    const isKnown = this.rewriting !== undefined && this.looks > 4;
    if (isKnown) this.break('the node writes to a chain that was rewritten');
  }

  isOfStranger(transactionId: string): boolean {
    return this.#strangers.has(transactionId);
  }

  armPush(fault: PushFault): void {
    this.#pushFaults.push(fault);
  }

  takePushFault(): PushFault | undefined {
    const fault = this.#pushFaults.shift();
    if (fault !== undefined) {
      this.count(fault);
      this.trace.say(`fault: ${fault}`);
    }
    return fault;
  }

  armCommit(fault: CommitFault): void {
    this.#commitFaults.push(fault);
  }

  /** Puts the faults of commits under the database. */
  #putFaultsUnder(handle: Handle): void {
    const changes = handle.prepare<[], number>('SELECT total_changes()').pluck();
    let seen = 0;
    handle.exec = (sql) => {
      // A commit of nothing cannot fail in any way that matters.
      const now = sql === 'COMMIT' ? (changes.get() ?? 0) : seen;
      const fault = sql === 'BEGIN IMMEDIATE' || now !== seen ? this.#takeCommit(sql) : undefined;
      if (fault === 'database-busy') throw sqliteError('SQLITE_BUSY', 'database is locked');
      if (fault === 'database-full-rolled-back') handle.prepare('ROLLBACK').run();
      if (fault?.startsWith('database-full') === true) {
        throw sqliteError('SQLITE_FULL', 'database or disk is full');
      }
      if (fault === 'killed-before-commit') {
        this.life.isDying = true;
        throw sqliteError('SQLITE_IOERR', 'the process has died');
      }
      // Prepared once, where the real `exec` compiles it each time.
      handle.prepare(sql).run();
      if (fault === 'killed-after-commit') this.life.isDying = true;
      if (now === seen) return handle;
      seen = now;
      this.check('commit');
      return handle;
    };
  }

  #takeCommit(sql: string): CommitFault | undefined {
    const [fault] = this.#commitFaults;
    if (fault === undefined || (fault === 'database-busy') !== (sql === 'BEGIN IMMEDIATE')) {
      return undefined;
    }
    this.#commitFaults.shift();
    this.count(fault);
    this.trace.say(`fault: ${fault}`);
    return fault;
  }

  /** No page more fits on the disk of state and index, until {@link makeRoom}. */
  fillDisk(): void {
    this.count('disk-full');
    // A sync that has no room ends before it can compare anything.
    this.isDiskFull = true;
    this.looks = 0;
    for (const handle of [this.state, this.index]) {
      const pages = handle.pragma('page_count', { simple: true }) as number;
      handle.pragma(`max_page_count = ${pages}`);
    }
  }

  makeRoom(): void {
    this.isDiskFull = false;
    disk.failures = 0;
    for (const handle of [this.state, this.index]) {
      handle.pragma('max_page_count = 1000000');
    }
  }

  /** Ends the trouble for good. */
  calmDown(): void {
    this.putBack();
    this.isTroubled = false;
    this.isSlow = false;
    this.remote.unreachable = false;
    this.remote.readOnly = false;
    this.#pushFaults = [];
    this.#commitFaults = [];
    this.discord.calmDown();
    this.makeRoom();
  }

  /** Lets the world go on, until the time is over or the life. */
  async run(forMs: number, isOver: () => boolean = () => false): Promise<void> {
    const { life } = this;
    await machine.run({
      forMs,
      isOver: () =>
        this.broken !== undefined || life.isDying || life.failure !== undefined || isOver(),
    });
    if (this.broken !== undefined) throw this.broken;
  }

  /** Ends the life and starts the next one, on what was durable. */
  async restart(ending: Ending): Promise<void> {
    this.count(ending);
    this.trace.say(ending);
    if (ending === 'stopped') await this.#stop();
    machine.endProcess();
    this.discord.receive = undefined;
    if (ending === 'power-cut') disk.cutPower();
    // What was under way is rolled back, as the next process would do.
    for (const handle of [this.state, this.index]) {
      if (handle.inTransaction) handle.prepare('ROLLBACK').run();
    }
    if (ending === 'power-cut' && this.chance.percent(30)) this.#loseIndex();
    this.#commitFaults = [];
    this.#close = undefined;
    this.makeRoom();
    this.life = startLife(this);
    this.check(ending);
  }

  #loseIndex(): void {
    this.count('index-lost');
    // Of what only the index knew, nobody can tell any more that it was rewritten.
    this.putBack();
    this.index.close();
    this.index = openMemory();
  }

  /** As SIGTERM does; a stop that takes too long ends like a kill. */
  async #stop(): Promise<void> {
    let isClosed = false;
    this.#close?.().then(
      () => (isClosed = true),
      (error: unknown) => this.break(`the stop failed: ${String(error)}`),
    );
    await this.run(30_000, () => isClosed);
  }
}

function sqliteError(code: string, message: string): Error {
  return new BetterSqlite3.SqliteError(message, code);
}
