// The gate before discord.js: who is too late waits for the others, and a broken packet harms nobody.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Client, SnowflakeUtil, Status } from 'discord.js';
import { PacketGate, type HandlePacket } from '../../src/discord/packet-gate.ts';
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
    handled.push(packet);
    if ((packet as { readonly isBroken?: boolean } | undefined)?.isBroken === true) {
      throw new TypeError('no such field');
    }
    return true;
  };
  return { gate: new PacketGate({ handle, logger, answerByMs: ANSWER_BY_MS }), handled, logger };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('an interaction that is too late for an answer', () => {
  test('waits for those behind it that can be answered, and is handled in its turn, a few at a time', () => {
    const { gate, handled } = openGate();
    const dead = Array.from({ length: 12 }, (_, index) => interaction(9_000 - index));
    const alive = [interaction(ANSWER_BY_MS - 1), interaction(0)];
    for (const packet of [...dead, ...alive]) gate.take(packet, SHARD);
    expect(handled).toEqual(alive);
    const handledAfter = (ms: number): unknown[] => {
      jest.advanceTimersByTime(ms);
      return handled.splice(0);
    };
    expect(handledAfter(199)).toEqual(alive);
    expect(handledAfter(1)).toEqual(dead.slice(0, 5));
    expect(handledAfter(19)).toEqual([]);
    expect(handledAfter(1)).toEqual(dead.slice(5, 10));
    expect(handledAfter(20)).toEqual(dead.slice(10));
    gate.take(interaction(ANSWER_BY_MS), SHARD);
    expect(handledAfter(199)).toEqual([]);
    expect(handledAfter(1)).toHaveLength(1);
  });

  test('is logged when it cannot be read either, and those behind it are handled', () => {
    const { gate, handled, logger } = openGate();
    gate.take({ ...interaction(9_000), isBroken: true }, SHARD);
    gate.take(interaction(9_000), SHARD);
    jest.runAllTimers();
    expect(handled).toHaveLength(2);
    expect(logger.lines).toMatchObject([{ level: 'error' }]);
  });

  test('is dropped, the oldest first and with a word in the log, when very many wait', () => {
    const { gate, handled, logger } = openGate();
    const dead = Array.from({ length: 5_003 }, () => interaction(9_000));
    for (const packet of dead) gate.take(packet, SHARD);
    jest.runAllTimers();
    expect(handled).toEqual(dead.slice(3));
    expect(logger.lines).toMatchObject([{ level: 'warn', facts: { dropped: 3 } }]);
  });

  test('is dropped at a stop, and passes at once after it', () => {
    const { gate, handled } = openGate();
    gate.take(interaction(9_000), SHARD);
    gate.stopHolding();
    jest.runAllTimers();
    expect(handled).toEqual([]);
    const last = interaction(9_001);
    gate.take(last, SHARD);
    expect(handled).toEqual([last]);
  });

  test('does not wait once more when discord.js had put it aside until it was ready', async () => {
    jest.useRealTimers();
    const client = new Client({ intents: [] });
    const read: string[] = [];
    client.on('debug', (words) => read.push(words));
    const { logger } = openGate();
    // SAFETY: not in its types; the bot guards the same method.
    const socket = client.ws as unknown as { handlePacket: HandlePacket };
    const handle = socket.handlePacket.bind(socket);
    const gate = new PacketGate({ handle, logger, answerByMs: ANSWER_BY_MS });
    socket.handlePacket = gate.take;
    for (let count = 0; count < 20; count += 1) {
      const packet = interaction(ANSWER_BY_MS - 200);
      socket.handlePacket({ ...packet, d: { ...packet.d, type: 99 } }, SHARD);
    }
    // Only now they are too late.
    await new Promise((resolve) => setTimeout(resolve, 250));
    client.ws.status = Status.Ready;
    socket.handlePacket();
    for (let count = 0; count < 25; count += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(read).toHaveLength(20);
    await client.destroy();
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
    ['an id that is too short', { t: 'INTERACTION_CREATE', d: { id: '1'.repeat(16) } }],
    ['an id that is too long', { t: 'INTERACTION_CREATE', d: { id: '1'.repeat(21) } }],
    ['an id of the future', interaction(-60_000)],
  ])('is handed on at once: %s', (_name, packet) => {
    const { gate, handled } = openGate();
    expect(gate.take(packet, SHARD)).toBe(true);
    expect(handled).toEqual([packet]);
  });

  test('that discord.js cannot read is logged, and harms nobody', () => {
    const { gate, handled, logger } = openGate();
    expect(gate.take({ ...interaction(0), isBroken: true }, SHARD)).toBe(false);
    expect(logger.lines).toMatchObject([
      { level: 'error', facts: { error: { message: 'no such field' } } },
    ]);
    gate.take(interaction(0), SHARD);
    expect(handled).toHaveLength(2);
  });
});
