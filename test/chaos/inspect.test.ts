// The look from outside after each fault of a chaos run sees what it is there to see.
import BetterSqlite3 from 'better-sqlite3';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config.ts';
import { dataFiles } from '../../src/core.ts';
import { openRealHouse } from '../support/real-house.ts';
import { git, tempDir } from '../support/temp-dir.ts';
import { Inspector } from './inspect.ts';

const MEMBER = '1200000000000000001';
const STRAY = '00000000-0000-4000-8000-000000000000';

let beacon: string;
let stateFile: string;
let asset: string;
let inspector: Inspector;

beforeEach(async () => {
  const root = tempDir();
  beacon = join(root, 'beacon.git');
  const env = { DATA_DIR: join(root, 'data'), BEACON_URL: beacon };
  const house = await openRealHouse({ dataDir: env.DATA_DIR, env: { BEACON_URL: beacon } });
  await house.grantCoins(MEMBER, 100);
  asset = (await house.grantAssets(MEMBER, 1))[0] ?? '';
  await house.close();
  stateFile = dataFiles(env.DATA_DIR).state;
  const config = parseConfig(env);
  inspector = new Inspector({ config, stateFile, validatorStateFile: stateFile, beacon });
  const broken = await inspector.inspect([], []);
  if (broken.length > 0) throw new Error(`broken before anything was: ${broken.join('; ')}`);
});

/** Changes rows behind the program's back, and the rules of the schema with them. */
function tamper(sql: string): void {
  const db = new BetterSqlite3(stateFile);
  const triggers = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'");
  for (const name of triggers.pluck().all()) db.exec(`DROP TRIGGER "${name}"`);
  db.exec(sql);
  db.close();
}

const tagOf = (): string => git(beacon, ['tag', '--points-at', `nfgt-${asset}`]);

describe('a chaos run sees', () => {
  test.each<readonly [string, RegExp, () => void]>([
    [
      'a tag that is no transaction’s',
      /git: .*stray tags/,
      () => void git(beacon, ['tag', STRAY, `nfgt-${asset}`]),
    ],
    [
      'a transaction without its tag',
      /git: .*has not its tag/,
      () => void git(beacon, ['update-ref', '-d', `refs/tags/${tagOf()}`]),
    ],
    [
      'a history that is gone',
      /git: the history of .* was rewritten/,
      () => {
        git(beacon, ['update-ref', '-d', `refs/tags/${tagOf()}`]);
        git(beacon, ['update-ref', '-d', `refs/heads/nfgt-${asset}`]);
      },
    ],
    [
      'a transaction that is called rejected and is on the chain',
      /journal: .* is called rejected/,
      () => tamper(`UPDATE journal SET state = 'rejected' WHERE asset_id = '${asset}'`),
    ],
    [
      'a transaction that is called committed and is not on the chain as it was accepted',
      /journal: .* is called committed/,
      () => tamper(`UPDATE journal SET record = CAST('{}' AS BLOB) WHERE asset_id = '${asset}'`),
    ],
    [
      "a member's coins that do not add up",
      /coins: member:.* has 101 gc and its transfers make 100/,
      () => tamper(`UPDATE accounts SET balance_gc = 101 WHERE account_id = 'member:${MEMBER}'`),
    ],
    [
      'an asset that has another owner on the chain than in the rows',
      /holdings: .* another's/,
      () => tamper(`UPDATE holdings SET owner_id = 'somebody' WHERE asset_id = '${asset}'`),
    ],
  ])('%s', async (_what, words, damage) => {
    damage();
    expect(await inspector.inspect([], [])).toContainEqual(expect.stringMatching(words));
  });

  test('an answer that is not true', async () => {
    const told = [{ key: 'interaction:1', word: 'done', text: 'paid' } as const];
    const outcomes = [{ transactionId: STRAY, assetId: 'lamp', committed: true }];
    expect(await inspector.inspect(told, outcomes)).toEqual([
      expect.stringContaining('told: interaction:1 is unknown'),
      expect.stringContaining(`a caller was told of ${STRAY}`),
    ]);
  });
});
