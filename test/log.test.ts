// The log as an operator searches it: one id finds everything that belongs to an interaction, a request or a settlement.
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { beaconIn, eventually, startNodeProcess } from './cli/node-process.ts';
import { textOf } from './support/discord-stand-in.ts';
import { hasPushBegun, holdPushes } from './support/hold-pushes.ts';
import { grep, withProgram, type JsonLine } from './support/program.ts';
import { git, tempDir } from './support/temp-dir.ts';

const messagesOf = (lines: readonly JsonLine[]): string[] => lines.map(({ facts }) => facts.msg);

/** The lines with this message; there has to be one at least. */
function having(lines: readonly JsonLine[], message: string): readonly JsonLine['facts'][] {
  const found = lines.map(({ facts }) => facts).filter(({ msg }) => msg === message);
  if (found.length === 0)
    throw new Error(`no “${message}” in ${JSON.stringify(messagesOf(lines))}`);
  return found;
}

describe('a roll', () => {
  test('can be followed by its interaction and its settlement from the gateway to the tag', () =>
    withProgram(async ({ ada, ben, standIn, beacon, log }) => {
      for (const member of [ada, ben]) await member.command('daily').reply();
      // Two at once: neither story may have a line of the other's.
      const rolls = [ada, ben].map((member) =>
        member.command('roll', {
          options: { count: 1, banner: member === ada ? 'rare' : 'single' },
        }),
      );
      for (const roll of rolls) {
        await roll.settledWhen((now) => textOf(now).includes('committed'));
        await eventually(() => (grep(log(), roll.id).some(isDone) ? true : undefined));
      }
      for (const { id } of rolls) {
        const ofInteraction = grep(log(), id);
        const [prepared] = having(ofInteraction, 'prepared a settlement');
        const settlementId = String(prepared?.['settlementId']);
        expect(messagesOf(ofInteraction)).toEqual([
          'An interaction came.',
          'prepared a settlement',
          'settled',
          'An interaction is done.',
        ]);
        expect(messagesOf(grep(log(), settlementId))).toEqual([
          'prepared a settlement',
          'pushed',
          'groups ended',
          'settled',
          'An interaction is done.',
        ]);
        const tags = prepared?.['transactionIds'] as readonly string[];
        expect(tags).toHaveLength(1);
        for (const tag of tags) git(beacon, ['rev-parse', '--verify', `refs/tags/${tag}`]);
      }
      const text = log();
      for (const { facts } of grep(text, '"pushed"'))
        expect(facts).not.toHaveProperty('interactionId');
      expect(text).not.toMatch(/\b(ada|ben)\b/i);
      expect(text).not.toContain(standIn.token);
    }));

  test('that breaks is found by the reference that the member was shown', () =>
    withProgram(async ({ ada, program, log }) => {
      await program().database.close();
      const exchange = ada.command('balance');
      const ref = /\(ref ([0-9A-F]{4})\)/.exec(textOf(await exchange.reply()))?.[1];
      expect(having(grep(log(), `"ref":"${String(ref)}"`), 'An interaction broke.')).toMatchObject([
        { interactionId: exchange.id },
      ]);
    }));
});

const isDone = ({ facts }: JsonLine): boolean => facts.msg === 'An interaction is done.';

describe('a request of HTTP', () => {
  test('can be followed by the id of its answer to the settlement and the push', () =>
    withProgram(async ({ program, log }) => {
      const answer = await fetch(`${program().apiUrl}/api/transaction/create`, {
        method: 'POST',
        body: JSON.stringify({ asset_id: 'lamp', owner_id: 'ada-lovelace', metadata: null }),
      });
      expect(answer.status).toBe(200);
      const requestId = String(answer.headers.get('X-Request-Id'));
      await eventually(() => grep(log(), requestId).find(({ facts }) => facts.msg === 'settled'));
      expect(messagesOf(grep(log(), requestId))).toEqual(['prepared a settlement', 'settled']);
      const [prepared] = having(grep(log(), requestId), 'prepared a settlement');
      having(grep(log(), String(prepared?.['settlementId'])), 'pushed');
    }));

  test('has an id of its own that no client chose, on every kind of answer', () =>
    withProgram(async ({ program }) => {
      const paths = ['/api/health', '/api/node', '/api/query/spot/asset/lamp', '/', '/nowhere'];
      const ids = new Set<string | null>();
      for (const path of paths) {
        const { headers } = await fetch(program().apiUrl + path, {
          headers: { 'X-Request-Id': 'me' },
        });
        expect(headers.get('X-Request-Id')).toMatch(/^[0-9a-f]{10}-\d+$/);
        ids.add(headers.get('X-Request-Id'));
      }
      expect(ids.size).toBe(paths.length);
    }));
});

describe('a settlement that another process finishes', () => {
  test('can be followed over the restart', async () => {
    const folder = tempDir();
    const env = {
      ...{ BEACON_URL: beaconIn(folder), DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'debug' },
      BEACON_SYNC_INTERVAL_MS: '100',
    };
    const first = await startNodeProcess(env, folder);
    const release = holdPushes(env.BEACON_URL);
    await first.create({ asset_id: 'lamp', owner_id: 'ada', metadata: null });
    await eventually(() => hasPushBegun(env.BEACON_URL) || undefined);
    const before = (await first.stop('SIGKILL')).stderr;
    const [prepared] = having(grep(before), 'prepared a settlement');
    const settlementId = String(prepared?.['settlementId']);
    expect(messagesOf(grep(before, settlementId))).toEqual(['prepared a settlement']);

    release();
    const second = await startNodeProcess(env, folder);
    const [tag] = prepared?.['transactionIds'] as readonly string[];
    await eventually(async () => {
      const { body } = await second.get(`/api/transaction/status/${String(tag)}`);
      return body['committed'] === true ? true : undefined;
    });
    const after = (await second.stop()).stderr;
    const story = messagesOf(grep(after, settlementId));
    for (const step of [
      'took up pending groups',
      'took up an open settlement',
      'groups ended',
      'settled',
    ]) {
      expect(story).toContain(step);
    }
  });
});
