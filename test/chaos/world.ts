// Everything that a chaos run lives in: git over ssh, a bot on a Discord stand-in, a second validator, small disks.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig, type Config } from '../../src/config.ts';
import { dataFiles } from '../../src/core.ts';
import type { StandIn } from '../../src/playground/api.ts';
import { startStandIn } from '../../src/playground/stand-in.ts';
import { startNodeProcess, type RunningApi } from '../cli/node-process.ts';
import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.ts';
import { sampleMembers } from '../support/discord-stand-in.ts';
import { signal } from '../support/process-tree.ts';
import { startGitHost, type GitHost } from '../support/sshd.ts';
import { beforeRemoval, git } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { CHAOS_GUYACHA } from './guyacha.ts';
import { makeDisk, mountingWord, type Disk } from './disk.ts';

const BOT = new URL('./bot.js', import.meta.url).pathname;
const MEMBERS = 8;
/** The bot's limit for late pushes: two minutes are too long to wait for. */
export const LATE_PUSH_MS = 1_500;

/** Where to start the bot to die; `-` is no step. */
interface BotOptions {
  readonly step?: string;
  readonly passes?: number;
}

export interface Disks {
  readonly data: Disk;
  readonly journal: Disk;
  readonly beacon: Disk;
}

/** What stays over every fault. */
interface Stage {
  readonly root: string;
  readonly host: GitHost;
  readonly proxy: CuttingProxy;
  readonly standIn: StandIn;
  readonly disks: Disks;
  /** Why disks cannot be filled here. */
  readonly noDisks: string | undefined;
}

export class World {
  readonly root: string;
  readonly host: GitHost;
  readonly proxy: CuttingProxy;
  readonly standIn: StandIn;
  readonly disks: Disks;
  readonly noDisks: string | undefined;
  /** The beacon's repository, for plain git. */
  readonly beacon: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #validatorEnv: Readonly<Record<string, string>>;
  #bot: RunningApi | undefined;
  #validator: RunningApi | undefined;
  /** SIGKILLs so far. */
  kills = 0;
  /** Assets that were moved to see that they can be. */
  moved = 0;

  private constructor({ root, host, proxy, standIn, disks, noDisks }: Stage) {
    this.root = root;
    this.host = host;
    this.proxy = proxy;
    this.standIn = standIn;
    this.disks = disks;
    this.noDisks = noDisks;
    this.beacon = join(disks.beacon.path, 'beacon.git');
    git(disks.beacon.path, ['init', '--quiet', '--bare', this.beacon]);
    const guyachaFile = join(root, 'guyacha.yaml');
    writeFileSync(guyachaFile, CHAOS_GUYACHA);
    const common = { BEACON_SYNC_INTERVAL_MS: '500', AUDIT_INTERVAL_MS: '2000' };
    this.env = {
      ...common,
      BEACON_URL: host.urlOf(this.beacon, proxy.port),
      BEACON_SSH_KEY_FILE: host.makeKey('bot', 'read-write'),
      DATA_DIR: join(disks.data.path, 'bot'),
      RECOVERY_JOURNAL: join(disks.journal.path, 'recovery.journal'),
      DISCORD_TOKEN: standIn.token,
      DISCORD_API_URL: standIn.url,
      DISCORD_GUILD_ID: standIn.guildId,
      GUYACHA_FILE: guyachaFile,
      DAILY_GC: '100p',
      MINT_COOLDOWN_MS: '0',
      TRADE_EXPIRY_MS: '5000',
    };
    this.#validatorEnv = {
      ...common,
      BEACON_URL: host.urlOf(this.beacon),
      BEACON_SSH_KEY_FILE: host.makeKey('validator', 'read-write'),
      DATA_DIR: join(root, 'validator'),
    };
  }

  /** @param root an empty folder for everything; what has to be ended is ended by `endAll`. */
  static async open(root: string): Promise<World> {
    const disksAt = join(root, 'disks');
    mkdirSync(disksAt);
    const noDisks = mountingWord(join(disksAt, 'probe'));
    const disk = (name: string): Disk => makeDisk(join(disksAt, name), noDisks === undefined);
    const disks = { data: disk('data'), journal: disk('journal'), beacon: disk('beacon') };
    const host = await startGitHost();
    const proxy = await startCuttingProxy(host.port);
    const standIn = await startStandIn({ members: sampleMembers(MEMBERS) });
    beforeRemoval(() => standIn.close());
    const world = new World({ root, host, proxy, standIn, disks, noDisks });
    await world.startBot();
    await world.startValidator();
    return world;
  }

  get config(): Config {
    return parseConfig(this.env);
  }

  get stateFile(): string {
    return dataFiles(this.config.dataDir).state;
  }

  get validatorStateFile(): string {
    return dataFiles(join(this.root, 'validator')).state;
  }

  get bot(): RunningApi {
    if (this.#bot === undefined) throw new Error('the bot was never started');
    return this.#bot;
  }

  get botPid(): number {
    return pidOf(this.bot);
  }

  get validator(): RunningApi {
    if (this.#validator === undefined) throw new Error('the validator was never started');
    return this.#validator;
  }

  /** What runs the bot, for whoever starts a second one. */
  botArguments({ step = '-', passes = 0 }: BotOptions = {}): readonly string[] {
    return [BOT, String(LATE_PUSH_MS), step, String(passes)];
  }

  /** Starts the bot; it is ready when Discord and its API have it. */
  async startBot(options?: BotOptions): Promise<void> {
    this.#bot = await startNodeProcess(this.env, this.root, this.botArguments(options));
    await this.standIn.botReady({ command: 'trade' });
  }

  async startValidator(): Promise<void> {
    this.#validator = await startNodeProcess(this.#validatorEnv, this.root);
  }

  async killBot(): Promise<void> {
    this.kills += 1;
    await this.bot.stop('SIGKILL');
  }

  async killValidator(): Promise<void> {
    this.kills += 1;
    await this.validator.stop('SIGKILL');
  }

  /** Takes every fault away and starts what a fault has ended. */
  async heal(): Promise<void> {
    const { data, journal, beacon } = this.disks;
    for (const disk of [data, journal, beacon]) disk.free();
    for (const process of [this.bot, this.validator]) signal(pidOf(process), 'SIGCONT');
    if (!isRunning(this.bot)) await this.startBot();
    if (!isRunning(this.validator)) await this.startValidator();
    // A bot that lost the stand-in's gateway comes back by itself.
    await until(() => Promise.resolve(this.standIn.botConnected()), 60_000);
  }
}

export function isRunning({ child }: RunningApi): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function pidOf({ child }: RunningApi): number {
  if (child.pid === undefined) throw new Error('the process never started');
  return child.pid;
}
