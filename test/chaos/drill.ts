// The restore drill: a backup beside a bot under load, the data directory wiped, restored, and every asset moved.
import { execFile } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { auditFromOutside } from '../../src/cli/audit.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { replayByGit } from '../support/plain-replay.ts';
import { waitForQuiet, withDatabase } from './inspect.ts';
import { moveEveryHolding } from './move-all.ts';
import type { Scene } from './scene.ts';
import type { World } from './world.ts';

const AIBOT = new URL('../../src/cli/aibot.js', import.meta.url).pathname;
const run = promisify(execFile);

interface Drill {
  readonly encrypted: boolean;
  /** `lost` with the data directory, and found again once the bot has named what it cannot move. */
  readonly journal: 'kept' | 'lost';
}

/** Assets with the transaction whose passphrase the bot keeps. */
type Held = ReadonlyMap<string, string>;

/** Makes the fault: it leaves a running bot that has moved every asset once. */
export function makeDrill(drill: Drill) {
  return async ({ world, load, dice }: Scene): Promise<readonly string[]> => {
    const backup = join(world.root, `backup-${dice.uniformInt(1_000_000_000)}`);
    const age = drill.encrypted ? await makeIdentity(`${backup}.identity`) : undefined;
    await aibot(world, ['backup', backup, '--with-key', ...(age?.recipient ?? [])]);
    await delay(500 + dice.uniformInt(2_000));
    // What callers were told lies in rows that are wiped now; passphrases of members do not.
    await load.callers.pause();
    await world.killBot();
    await load.members.pause();
    load.members.forget();
    // A push that the bot's git had begun may still arrive.
    await delay(1_000);
    const held = listHeld(world);
    const faults: string[] = [];
    if (drill.journal === 'kept') {
      rmSync(world.config.dataDir, { recursive: true });
      await aibot(world, ['restore', backup, ...(age?.identity ?? [])]);
    } else {
      faults.push(...(await restoreWithoutJournal(world, backup, held)));
    }
    await world.startBot();
    faults.push(...(await waitForQuiet(world)), ...checkHeld(world, held));
    faults.push(...(await moveEverything(world)));
    rmSync(backup, { recursive: true });
    return faults;
  };
}

/** Names what is lost, exactly, and has everything back once the journal is put in its place. */
async function restoreWithoutJournal(
  world: World,
  backup: string,
  held: Held,
): Promise<readonly string[]> {
  const journal = world.env['RECOVERY_JOURNAL'] ?? '';
  renameSync(journal, `${journal}.found`);
  const inBackup = new Set(
    withDatabase(join(backup, 'state.sqlite'), (db) =>
      db.prepare<[], string>('SELECT transaction_id FROM vault_entries').pluck().all(),
    ),
  );
  rmSync(world.config.dataDir, { recursive: true });
  await aibot(world, ['restore', backup]);
  await world.startBot();
  const faults = [...(await waitForQuiet(world))];
  const surroundings = { logger: silentLogger, ambient: process.env };
  const { findings } = await auditFromOutside(world.config, surroundings);
  const named = findings.map(
    ({ invariant, detail }) => `${invariant} ${detail.split(' ')[0] ?? ''}`,
  );
  const lost = [...held].filter(([, transactionId]) => !inBackup.has(transactionId));
  const expected = lost.map(([assetId]) => `recovery ${assetId}`);
  if (named.toSorted().join() !== expected.toSorted().join()) {
    faults.push(`lost are ${expected.join(', ')}, and the audit names ${named.join(', ')}`);
  }
  await world.bot.stop();
  renameSync(`${journal}.found`, journal);
  return faults;
}

/** Stops the bot, moves every asset in its custody once, and starts it again. */
export async function moveEverything(world: World): Promise<readonly string[]> {
  await world.bot.stop();
  const members = world.standIn.members().map(({ user }) => user.id);
  const { moved, stuck } = await moveEveryHolding(world.config, members);
  world.moved += moved;
  await world.startBot();
  return stuck.map((words) => `stuck: ${words}`);
}

/** What the dead bot could have moved: the chain's tips whose passphrases it had. */
function listHeld(world: World): Held {
  const tips = new Map(
    Object.entries(replayByGit(world.beacon)).map(([assetId, history]) => {
      const { transaction_id: id } = JSON.parse(history.at(-1)?.record ?? '{}') as {
        readonly transaction_id: string;
      };
      return [id, assetId];
    }),
  );
  const kept = withDatabase(world.stateFile, (db) =>
    db
      .prepare<[], string>("SELECT transaction_id FROM vault_entries WHERE custody = 'bot'")
      .pluck()
      .all(),
  );
  return new Map(
    kept.flatMap((id): [string, string][] => {
      const assetId = tips.get(id);
      return assetId === undefined ? [] : [[assetId, id]];
    }),
  );
}

function checkHeld(world: World, held: Held): readonly string[] {
  const now = new Set(
    withDatabase(world.stateFile, (db) =>
      db.prepare<[], string>('SELECT asset_id FROM holdings').pluck().all(),
    ),
  );
  const missing = [...held.keys()].filter((assetId) => !now.has(assetId));
  return missing.map((assetId) => `${assetId} was in custody and is no more after the restore`);
}

/** An identity of age in a file, as the arguments that encrypt for it and open with it. */
async function makeIdentity(
  file: string,
): Promise<{ readonly recipient: readonly string[]; readonly identity: readonly string[] }> {
  const identity = await generateIdentity();
  writeFileSync(file, `${identity}\n`, { mode: 0o600 });
  const recipient = await identityToRecipient(identity);
  return { recipient: ['--recipient', recipient], identity: ['--identity', file] };
}

async function aibot(world: World, args: readonly string[]): Promise<void> {
  const env = { PATH: process.env['PATH'], HOME: world.root, ...world.env };
  await run(process.execPath, [AIBOT, ...args], { env, cwd: world.root });
}
