// The gate before discord.js: who is too late waits for the others, and a broken packet harms nobody.
import { describe, expect, test } from '@jest/globals';
import { SnowflakeUtil } from 'discord.js';
import { PacketGate } from '../../src/discord/packet-gate.ts';
import { until } from '../support/until.ts';
import { keepingLogger } from './bot.ts';

const ANSWER_BY_MS = 2_800;
const SHARD = { id: 0 };

interface Packet {
  readonly t: string;
  readonly d: { readonly id?: unknown };
}

/** An interaction that a member made so long ago. */
function interaction(ageMs: number): Packet {
  const id = String(SnowflakeUtil.generate({ timestamp: Date.now() - ageMs }));
  return { t: 'INTERACTION_CREATE', d: { id } };
}

function openGate(): {
  readonly gate: PacketGate;
  readonly handled: unknown[];
  readonly logger: ReturnType<typeof keepingLogger>;
} {
  const handled: unknown[] = [];
  const logger = keepingLogger();
  const handle = (packet: unknown, shard: unknown): boolean => {
    expect(shard).toBe(SHARD);
    if ((packet as Packet).t === 'BROKEN') throw new TypeError('no such field');
    handled.push(packet);
    return true;
  };
  return { gate: new PacketGate({ handle, logger, answerByMs: ANSWER_BY_MS }), handled, logger };
}

describe('an interaction that is too late for an answer', () => {
  test('waits for those behind it that can be answered, and is then handled in its turn', async () => {
    const { gate, handled } = openGate();
    const dead = Array.from({ length: 35 }, (_, index) => interaction(9_000 - index));
    const alive = [interaction(2_000), interaction(0)];
    for (const packet of [...dead, ...alive]) gate.take(packet, SHARD);
    expect(handled).toEqual(alive);
    await until(() => Promise.resolve(handled.length === dead.length + alive.length));
    expect(handled.slice(alive.length)).toEqual(dead);
  });

  test('comes in turns, so that many of them are no burst', async () => {
    let [count, thisTurn, longestTurn] = [0, 0, 0];
    const handle = (): void => {
      count += 1;
      thisTurn += 1;
      longestTurn = Math.max(longestTurn, thisTurn);
      setImmediate(() => (thisTurn = 0));
    };
    const gate = new PacketGate({ handle, logger: keepingLogger(), answerByMs: ANSWER_BY_MS });
    for (let sent = 0; sent < 35; sent += 1) gate.take(interaction(9_000), SHARD);
    await until(() => Promise.resolve(count === 35));
    expect(longestTurn).toBe(10);
  });

  test('is handed on at once when the gate closes, and after it', () => {
    const { gate, handled } = openGate();
    const [waiting, last] = [interaction(9_000), interaction(9_001)];
    gate.take(waiting, SHARD);
    gate.close();
    expect(handled).toEqual([waiting]);
    gate.take(last, SHARD);
    expect(handled).toEqual([waiting, last]);
  });
});

describe('everything else', () => {
  const old = interaction(9_000).d;
  const lateId = String(old.id);
  test.each<[string, unknown]>([
    ['no packet', undefined],
    ['another event, however old', { t: 'MESSAGE_CREATE', d: old }],
    ['an interaction without data', { t: 'INTERACTION_CREATE', d: null }],
    ['an interaction without an id', { t: 'INTERACTION_CREATE', d: {} }],
    ['an id that is a number', { t: 'INTERACTION_CREATE', d: { id: Number(lateId) } }],
    ['an id that is no snowflake', { t: 'INTERACTION_CREATE', d: { id: `${lateId}x` } }],
    ['an id of the future', interaction(-60_000)],
  ])('is handed on at once: %s', (_name, packet) => {
    const { gate, handled } = openGate();
    const handle = (): unknown => gate.take(packet, SHARD);
    if (packet === undefined) expect(handle).not.toThrow();
    else expect(handle()).toBe(true);
    expect(handled).toEqual(packet === undefined ? [] : [packet]);
  });

  test('that discord.js cannot read is logged, and harms nobody', () => {
    const { gate, handled, logger } = openGate();
    expect(gate.take({ t: 'BROKEN', d: {} }, SHARD)).toBe(false);
    expect(logger.lines).toMatchObject([
      { level: 'error', facts: { error: { message: 'no such field' } } },
    ]);
    const next = interaction(0);
    gate.take(next, SHARD);
    expect(handled).toEqual([next]);
  });
});
