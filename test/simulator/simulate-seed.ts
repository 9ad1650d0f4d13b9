// One seed from beginning to end: members act in trouble, then all trouble stops, and everything must settle and move.
import { prepareDiscord } from './discord-edge.ts';
import { stateTemplate } from './house.ts';
import { Members, PEOPLE } from './members.ts';
import { machine } from './machine.ts';
import { disk } from './memory-disk.ts';
import { PUSH_FAULTS, type PushFault } from './simulated-beacon.ts';
import { DISCORD_FAULTS } from './simulated-discord.ts';
import { Trace } from './trace.ts';
import { Broken, World, type CommitFault, type Ending } from './world.ts';

const COMMIT_FAULTS: readonly CommitFault[] = [
  'database-busy',
  'database-full-at-commit',
  'database-full-rolled-back',
  'killed-before-commit',
  'killed-before-commit',
  'killed-after-commit',
  'killed-after-commit',
];
/** What chance alone rarely brings together. */
const PUSH_FAULTS_IN_A_ROW: readonly (readonly PushFault[])[] = [
  // A half stands, and its other half is lost.
  ['push-half-written', 'push-overtaken'],
  // The remote says no for good, and what was sent before arrives all the same.
  ['push-late', 'push-refused-for-good'],
];
const STEPS_MIN = 10;
const STEPS_MAX = 30;
/** More than twice what the node waits for a push that may still arrive. */
const CALM_MS = 300_000;
const CALM_AT_LEAST_MS = 25_000;
const MAX_STARTS = 20;

export interface SeedReport {
  readonly seed: number;
  /** What broke; undefined when everything held. */
  readonly broken: string | undefined;
  readonly digest: string;
  readonly counts: ReadonlyMap<string, number>;
}

/** @param print is given every line of the trace as it is written. */
export async function simulateSeed(
  seed: number,
  print?: (line: string) => void,
): Promise<SeedReport> {
  const template = await stateTemplate();
  await prepareDiscord();
  machine.begin(seed);
  disk.begin();
  const trace = new Trace(print);
  const world = new World(seed, template, trace);
  const broken = await live(world);
  world.count('events', machine.happened);
  world.count('checks', world.oracle.checks);
  machine.endProcess();
  trace.take(world.state.serialize());
  world.state.close();
  world.index.close();
  return { seed, broken, digest: trace.digest(), counts: world.counts };
}

async function live(world: World): Promise<string | undefined> {
  try {
    await start(world);
    const members = new Members(world);
    const steps = world.chance.between(STEPS_MIN, STEPS_MAX);
    for (let step = 0; step < steps; step += 1) await takeStep(world, members);
    await calmDown(world, members);
    return undefined;
  } catch (error) {
    if (error instanceof Broken) return error.message;
    throw error;
  }
}

/** Starts again until the start succeeds; with the beacon away it may not. */
async function start(world: World): Promise<void> {
  for (let starts = 0; starts < MAX_STARTS; starts += 1) {
    await world.run(60_000, () => world.life.app !== undefined);
    const { app, failure, isDying } = world.life;
    if (app !== undefined && !isDying) return;
    if (failure !== undefined) {
      const { name, message } = failure as Error;
      world.trace.say(`the start failed: ${message}`);
      world.count('failed-start');
      const isExpected =
        name === 'AppError' || /is locked|is full|rolled the transaction/.test(message);
      if (!isExpected) world.break(`the start failed: ${message}`, (failure as Error).stack);
      // What an operator does: waits until the trouble outside is over.
      await machine.run({ forMs: world.chance.between(1, 20_000) });
      if (world.chance.percent(30)) world.remote.unreachable = false;
    } else if (!isDying) {
      world.break('the start does not come to an end');
    }
    await world.restart('killed');
  }
  world.calmDown();
  await world.run(60_000, () => world.life.app !== undefined);
  if (world.life.app === undefined) world.break('the program does not start');
}

async function takeStep(world: World, members: Members): Promise<void> {
  const { chance } = world;
  world.count('steps');
  if (chance.percent(45)) stirUp(world);
  const acts = chance.between(0, 5);
  for (let act = 0; act < acts; act += 1) {
    members.act();
    if (chance.percent(40)) await world.run(chance.below(20));
  }
  const pauses = [0, 5, 100, 2_000, 15_000];
  const pause = chance.pick(pauses) ?? 0;
  await world.run(chance.between(0, pause));
  members.learn();
  world.check('step');
  if (disk.hasFailed && world.life.app !== undefined) {
    disk.hasFailed = false;
    await expectRecoverable(world);
  }
  if (world.life.isDying) await world.restart(chance.percent(70) ? 'killed' : 'power-cut');
  else if (chance.percent(6))
    await world.restart(chance.pick<Ending>(['killed', 'power-cut', 'stopped']) ?? 'killed');
  if (world.broken !== undefined) throw world.broken;
  // Now and then the next life dies before it has started.
  if (world.life.app === undefined && chance.percent(25)) {
    await world.run(chance.below(400));
    await world.restart('killed');
  }
  if (world.life.app === undefined) await start(world);
}

/** Some trouble begins, or ends. */
function stirUp(world: World): void {
  const { chance, remote } = world;
  const trouble = chance.pick<() => void>([
    () => world.armPush(chance.pick(PUSH_FAULTS) ?? 'push-cut'),
    () => world.armPush(chance.pick(PUSH_FAULTS) ?? 'push-cut'),
    () => world.armPush(chance.pick(PUSH_FAULTS) ?? 'push-cut'),
    () => {
      for (const fault of chance.pick(PUSH_FAULTS_IN_A_ROW) ?? []) world.armPush(fault);
    },
    () => world.armCommit(chance.pick(COMMIT_FAULTS) ?? 'database-busy'),
    () => world.armCommit(chance.pick(COMMIT_FAULTS) ?? 'database-busy'),
    () => {
      const asset = chance.pick(['lamp-0', 'lamp-1', 'lamp-2', 'pen-0', 'pen-1', 'pen-2']);
      if (chance.percent(40)) world.moveByStranger(asset ?? 'lamp-0');
    },
    () => {
      remote.unreachable = !remote.unreachable;
      if (remote.unreachable) world.count('remote-away');
    },
    () => {
      remote.readOnly = !remote.readOnly;
      if (remote.readOnly) world.count('remote-read-only');
    },
    () => {
      world.isSlow = !world.isSlow;
      if (world.isSlow) world.count('remote-slow');
    },
    () => {
      disk.failures = chance.between(1, 3);
      world.count('disk-full-for-files');
    },
    () => world.fillDisk(),
    () => (world.rewriting === undefined ? world.rewriteHistory() : world.putBack()),
    () => world.makeRoom(),
    () => world.discord.arm(chance.pick(DISCORD_FAULTS) ?? 'discord-500'),
    () => world.discord.arm(chance.pick(DISCORD_FAULTS) ?? 'discord-500'),
    () => world.discord.closeGateway(),
  ]);
  trouble?.();
}

/** With all trouble over everything ends, adds up, and can still be moved. */
async function calmDown(world: World, members: Members): Promise<void> {
  world.calmDown();
  world.trace.say('all trouble is over');
  if (world.chance.percent(50)) {
    await world.restart(world.chance.percent(50) ? 'killed' : 'stopped');
  }
  await start(world);
  // As long as the node takes to find out that it may push again, and the app to audit; then until all is settled.
  await world.run(CALM_AT_LEAST_MS);
  await world.run(CALM_MS, () => members.running === 0 && isQuiet(world));
  for (const member of PEOPLE) {
    members.attempt('cancel', (app) => app.cancelTrade({ member }));
  }
  await world.run(10_000, () => members.running === 0);
  expectSettled(world);
  world.discord.checkTold();
  await expectRecoverable(world);
  await expectMovable(world, members);
  await audit(world, members);
}

/** Nothing is under way, and nobody waits to be told. */
function isQuiet(world: World): boolean {
  const open = world.state.prepare<[], { n: number }>(
    `SELECT (SELECT count(*) FROM settlements WHERE state = 'prepared') +
      (SELECT count(*) FROM journal WHERE state = 'pending') AS n`,
  );
  return open.get()?.n === 0 && world.discord.isQuiet;
}

function expectSettled(world: World): void {
  world.check('the calm');
  const handle = world.state;
  for (const [what, table, condition] of [
    ['settlements', 'settlements', `state = 'prepared'`],
    ['holds', 'holds', `state = 'placed'`],
    ['transactions', 'journal', `state = 'pending'`],
    ['reservations', 'reservations', '1'],
    ['passphrases', 'vault_entries', `state = 'waiting'`],
  ] as const) {
    const { n } = handle
      .prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${table} WHERE ${condition}`)
      .get() ?? { n: 0 };
    if (n > 0) world.break(`${n} ${what} are stuck`);
  }
  world.oracle.checkChain();
  if (world.broken !== undefined) throw world.broken;
}

/** Whatever the vault can still need stands in the recovery journal as well, and has stood there before. */
async function expectRecoverable(world: World): Promise<void> {
  const { recovery } = world.life;
  const needed = world.oracle.listKeys();
  let kept: ReadonlySet<string> | undefined;
  recovery?.read().then(
    ({ entries, damagedLines }) => {
      if (damagedLines.length > 0) world.break('the recovery journal is damaged');
      kept = new Set(entries.map(({ transactionId }) => transactionId));
    },
    (error: unknown) => world.break(`the recovery journal cannot be read: ${String(error)}`),
  );
  await world.run(1_000, () => kept !== undefined);
  const missing = needed.filter((id) => kept?.has(id) === false);
  if (missing.length > 0) {
    world.break(`passphrases are not in the recovery journal: ${missing.join()}`);
  }
  if (disk.damaged.length > 0) world.break('the recovery journal was damaged');
  if (world.broken !== undefined) throw world.broken;
}

/** Every asset in custody moves once more: members give theirs away, the bot's are rolled, callers use their passphrase. */
async function expectMovable(world: World, members: Members): Promise<void> {
  const held = world.oracle.listHeld();
  for (const { asset_id: assetId, holder } of held) {
    const from = PEOPLE.find(({ memberId }) => memberId === holder);
    const to = PEOPLE.find(({ memberId }) => memberId !== holder);
    if (from !== undefined && to !== undefined) members.gift(from, to, assetId, true);
  }
  members.learn();
  for (const assetId of members.owned.keys()) members.move(assetId, true);
  await world.run(60_000, () => members.running === 0 && isQuiet(world));
  for (const { asset_id: assetId, holder, transaction_id: before } of held) {
    const tip = world.oracle.tipOf(assetId)?.transaction_id;
    if (holder !== 'bot' && tip === before) world.break(`${assetId} cannot be moved`);
  }
  members.expectMoved();
  expectSettled(world);
}

async function audit(world: World, members: Members): Promise<void> {
  let isClean: boolean | undefined;
  members.attempt('audit', (app) => app.audit(), {
    answered: ({ findings }) => (isClean = findings.length === 0),
  });
  await world.run(5_000, () => isClean !== undefined);
  if (isClean !== true) world.break('the last audit is not clean');
  if (world.broken !== undefined) throw world.broken;
}
