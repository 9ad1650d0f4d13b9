// The kinds of faults: what each does to a world in which members and callers act.
import BetterSqlite3 from 'better-sqlite3';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SETTLEMENT_STEPS } from '../../src/app/settlements.ts';
import type { Randomness } from '../../src/guyacha/randomness.ts';
import { spawnNode } from '../cli/node-process.ts';
import { listDescendants, signal } from '../support/process-tree.ts';
import { git } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { makeDrill } from './drill.ts';
import type { Disk } from './disk.ts';
import type { Fault, Scene } from './scene.ts';
import { isRunning, LATE_PUSH_MS, type World } from './world.ts';

/** `STOP_TIMEOUT_MS` of run-program, and a little for a machine that is busy. */
const STOP_LIMIT_MS = 30_000 + 5_000;
const PUSH_PATIENCE_MS = 30_000;
const between = (dice: Randomness, from: number, to: number): number =>
  from + dice.uniformInt(to - from);

async function kill({ world, dice }: Scene): Promise<readonly string[]> {
  await delay(between(dice, 20, 1_500));
  await world.killBot();
  // Every third time once more, before it has recovered.
  if (dice.uniformInt(3) === 0) {
    const second = spawnNode(world.env, world.root, world.botArguments());
    await delay(between(dice, 200, 1_200));
    second.child.kill('SIGKILL');
    await second.ended;
    world.kills += 1;
  }
  await world.startBot();
  return [];
}

async function killAtStep({ world, dice, load }: Scene): Promise<readonly string[]> {
  const steps = SETTLEMENT_STEPS.filter((step) => step !== 'voided');
  const step = steps[dice.uniformInt(steps.length)] ?? 'prepared';
  await world.killBot();
  // Recovery passes steps as well: it may die before it is ready.
  await world.startBot({ step, passes: dice.uniformInt(12) }).catch((error: unknown) => {
    if (!String(error).includes('ended with null')) throw error;
  });
  world.kills += 1;
  const isDead = await Promise.race([world.bot.ended.then(() => true), delay(60_000, false)]);
  const { signalCode } = world.bot.child;
  await world.heal();
  return isDead && signalCode === 'SIGKILL' ? [] : [`nobody died at ${step} (${load.words()})`];
}

/** Stops the bot's pushes in a hook of the remote, calls when one is there, and lets it go on. */
async function killInPush(
  { world, dice }: Scene,
  hookName: 'pre-receive' | 'post-receive',
): Promise<readonly string[]> {
  await duringPush(world, hookName, async () => {
    await world.killBot();
    // The remote goes on before, or after, the next process looks at it.
    if (dice.uniformInt(2) === 0) await world.startBot();
  });
  await world.heal();
  return [];
}

async function duringPush(
  world: World,
  hookName: string,
  work: () => Promise<void>,
): Promise<void> {
  const hook = join(world.beacon, 'hooks', hookName);
  const begun = `${hook}.begun`;
  mkdirSync(join(world.beacon, 'hooks'), { recursive: true });
  const script = `#!/bin/sh
[ "$DEPLOY_KEY" = bot ] && [ ! -e '${begun}' ] || exit 0
touch '${begun}'
while [ -e '${hook}' ]; do sleep 0.02; done
`;
  writeFileSync(hook, script, { mode: 0o755 });
  try {
    await until(() => Promise.resolve(existsSync(begun)), PUSH_PATIENCE_MS);
    await work();
  } finally {
    rmSync(hook);
    rmSync(begun, { force: true });
  }
}

async function killValidator({ world, dice }: Scene): Promise<readonly string[]> {
  await delay(between(dice, 20, 1_000));
  await world.killValidator();
  await world.startValidator();
  return [];
}

async function pause({ world, dice }: Scene): Promise<readonly string[]> {
  signal(world.botPid, 'SIGSTOP');
  await delay(between(dice, 200, 2 * LATE_PUSH_MS));
  signal(world.botPid, 'SIGCONT');
  return [];
}

/** A push is frozen in the air, its bot killed and another one takes over; the push arrives after the limit. */
async function latePush({ world }: Scene): Promise<readonly string[]> {
  let push: number | undefined;
  await until(() => {
    const pushes = listDescendants(world.botPid).filter(({ command }) =>
      /^git .*push --atomic/.test(command),
    );
    push = pushes[0]?.pid;
    return Promise.resolve(push !== undefined && signal(-push, 'SIGSTOP'));
  }, PUSH_PATIENCE_MS);
  await world.killBot();
  await world.startBot();
  await delay(2 * LATE_PUSH_MS);
  if (push !== undefined) signal(-push, 'SIGCONT');
  await delay(1_000);
  return [];
}

/** Cuts several connections one after another, each anywhere between its first and its last byte. */
async function cut({ world, dice }: Scene): Promise<readonly string[]> {
  const { proxy } = world;
  for (let count = 0; count < 5; count += 1) {
    const before = proxy.cuts;
    const way = dice.uniformInt(2) === 0 ? 'up' : 'down';
    const part = between(dice, 1, 100) / 100;
    // The sizes of connections differ: one that ends before its cut is followed by another try.
    await until(async () => {
      proxy.cutNext({ way, afterBytes: Math.floor(Math.max(proxy.passed[way], 3_000) * part) });
      await delay(300);
      return proxy.cuts > before;
    }, 60_000);
  }
  return [];
}

const fill =
  (which: keyof World['disks']) =>
  async ({ world, dice }: Scene): Promise<readonly string[]> => {
    const disk: Disk = world.disks[which];
    disk.fill();
    await delay(between(dice, 1_500, 5_000));
    disk.free();
    return [];
  };

/** What the host of a repository does to it now and then, all at once and while it is written to. */
async function repack({ world, dice }: Scene): Promise<readonly string[]> {
  const upkeep: readonly (readonly string[])[] = [
    ['gc', '--quiet'],
    ['repack', '-a', '-d', '--quiet'],
    ['pack-refs', '--all', '--prune'],
    ['prune', '--expire=1.hour.ago'],
    ['gc', '--quiet', '--aggressive'],
  ];
  const busy: string[] = [];
  for (let count = 0; count < 6; count += 1) {
    const args = upkeep[dice.uniformInt(upkeep.length)] ?? [];
    try {
      git(world.beacon, args);
    } catch (error) {
      // A ref that is being written is git's own reason to give up; the next one does it.
      if (!/lock/i.test(String(error))) busy.push(String(error));
    }
    await delay(between(dice, 50, 300));
  }
  return busy;
}

async function killHost({ world, dice }: Scene): Promise<readonly string[]> {
  await delay(between(dice, 20, 500));
  await world.host.kill();
  await delay(between(dice, 100, 3_000));
  await world.host.start();
  return [];
}

/** Another process holds the database; every other time for longer than a statement waits for it. */
async function lock({ world, dice }: Scene): Promise<readonly string[]> {
  const db = new BetterSqlite3(world.stateFile, { timeout: 10_000 });
  try {
    db.exec('BEGIN IMMEDIATE');
    await delay(between(dice, 500, 8_000));
    db.exec('ROLLBACK');
  } finally {
    db.close();
  }
  return [];
}

async function terminate({ world, dice }: Scene): Promise<readonly string[]> {
  await delay(between(dice, 20, 800));
  return await stopInTime(world);
}

/** The remote keeps the bot's push waiting for longer than a stop may take. */
async function terminateInPush({ world }: Scene): Promise<readonly string[]> {
  let faults: readonly string[] = [];
  await duringPush(world, 'pre-receive', async () => {
    faults = await stopInTime(world);
  });
  return faults;
}

/** A stop ends with code 0 and in time, whatever is under way. */
async function stopInTime(world: World): Promise<readonly string[]> {
  const startedAt = performance.now();
  const { code, stderr } = await world.bot.stop();
  const tookMs = Math.round(performance.now() - startedAt);
  await world.startBot();
  const faults: string[] = [];
  if (code !== 0) faults.push(`SIGTERM ended with ${String(code)}: ${stderr.slice(-500)}`);
  if (tookMs > STOP_LIMIT_MS) faults.push(`SIGTERM took ${tookMs} ms`);
  return faults;
}

/** A second bot on the same data directory, also while the first one stands still. */
async function secondStart({ world, dice }: Scene): Promise<readonly string[]> {
  const isStopped = dice.uniformInt(2) === 0;
  if (isStopped) signal(world.botPid, 'SIGSTOP');
  const { code, stderr } = await spawnNode(world.env, world.root, world.botArguments()).ended;
  if (isStopped) signal(world.botPid, 'SIGCONT');
  const isRefused = code === 75 && /^DATA_DIR_IN_USE: /m.test(stderr);
  const faults = isRefused ? [] : [`a second start ended with ${String(code)}: ${stderr}`];
  return isRunning(world.bot) ? faults : [...faults, 'the second start ended the first'];
}

export const FAULTS: readonly Fault[] = [
  { kind: 'kill', what: 'SIGKILL of the bot, also before it has recovered', inflict: kill },
  { kind: 'kill-at-step', what: "SIGKILL at a settlement's named step", inflict: killAtStep },
  {
    kind: 'kill-before-refs',
    what: 'SIGKILL while the remote holds a push and has not set its refs',
    inflict: (scene) => killInPush(scene, 'pre-receive'),
  },
  {
    kind: 'kill-after-refs',
    what: 'SIGKILL after the remote has set the refs and before it answers',
    inflict: (scene) => killInPush(scene, 'post-receive'),
  },
  { kind: 'kill-validator', what: 'SIGKILL of the second validator', inflict: killValidator },
  { kind: 'pause', what: 'SIGSTOP of the bot, then SIGCONT', inflict: pause },
  {
    kind: 'late-push',
    what: 'a push frozen in the air that arrives after another process took over',
    inflict: latePush,
  },
  { kind: 'cut', what: 'connections cut before, during and after a push', inflict: cut },
  {
    kind: 'disk-data',
    what: 'a full disk under DATA_DIR',
    needsDisks: true,
    inflict: fill('data'),
  },
  {
    kind: 'disk-journal',
    what: 'a full disk under the recovery journal',
    needsDisks: true,
    inflict: fill('journal'),
  },
  {
    kind: 'disk-beacon',
    what: "a full disk under the remote's repository",
    needsDisks: true,
    inflict: fill('beacon'),
  },
  { kind: 'repack', what: 'gc, repack, pack-refs and prune on the remote', inflict: repack },
  { kind: 'sshd', what: 'sshd and its sessions killed, and started again', inflict: killHost },
  { kind: 'lock', what: 'the database locked by another process', inflict: lock },
  { kind: 'terminate', what: 'SIGTERM under load: exit 0 in time', inflict: terminate },
  {
    kind: 'terminate-in-push',
    what: 'SIGTERM while the remote hangs: exit 0 in time',
    inflict: terminateInPush,
  },
  {
    kind: 'second-start',
    what: 'a second bot on the same data directory, also while the first stands still',
    inflict: secondStart,
  },
  {
    kind: 'restore',
    what: 'backup under load, data directory wiped, restored with the recovery journal',
    inflict: makeDrill({ encrypted: false, journal: 'kept' }),
  },
  {
    kind: 'restore-age',
    what: 'the same with an age-encrypted backup',
    inflict: makeDrill({ encrypted: true, journal: 'kept' }),
  },
  {
    kind: 'restore-lost-journal',
    what: 'the same without the journal: exactly the assets that moved since are named; then it is found again',
    inflict: makeDrill({ encrypted: false, journal: 'lost' }),
  },
];
