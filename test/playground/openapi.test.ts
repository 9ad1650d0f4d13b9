// The stand-in's answers have the shapes of Discord's OpenAPI document (skipped where that file is absent).
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { openStage } from '../support/discord-stand-in.ts';
import type { Stage } from '../support/discord-stand-in.ts';
import { startBot } from './bot.ts';
import type { TestBot } from './bot.ts';
import { DEMO_COMMANDS, demo } from './demo-bot.ts';

interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
}

const FILE = new URL('../../../shared/discord-openapi.json', import.meta.url);
const withDocument = existsSync(FILE) ? describe : describe.skip;

/** What of a value does not fit a schema; only what the stand-in's answers use is checked. */
function misfits(
  schemas: Record<string, Schema>,
  schema: Schema,
  value: unknown,
  path = '',
): string[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return misfits(schemas, schemas[name] ?? {}, value, path);
  }
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) {
    const results = choices.map((choice) => misfits(schemas, choice, value, path));
    if (results.some((faults) => faults.length === 0)) return [];
    return results.sort((one, other) => one.length - other.length)[0] ?? [];
  }
  const faults = (schema.allOf ?? []).flatMap((part) => misfits(schemas, part, value, path));
  if (schema.enum !== undefined && !schema.enum.includes(value))
    faults.push(`${path}: not in enum`);
  if (schema.const !== undefined && schema.const !== value)
    faults.push(`${path}: not the constant`);
  if (schema.type !== undefined && ![schema.type].flat().includes(typeOf(value, schema.type))) {
    return [...faults, `${path}: ${JSON.stringify(value)} is no ${String(schema.type)}`];
  }
  if (Array.isArray(value)) {
    return [
      ...faults,
      ...value.flatMap((item, n) => misfits(schemas, schema.items ?? {}, item, `${path}/${n}`)),
    ];
  }
  if (typeof value !== 'object' || value === null) return faults;
  const record = value as Record<string, unknown>;
  const known = schema.properties ?? {};
  for (const name of schema.required ?? []) {
    if (!(name in record)) faults.push(`${path}/${name}: missing`);
  }
  for (const [name, part] of Object.entries(record)) {
    const property = known[name];
    if (property !== undefined && part !== undefined)
      faults.push(...misfits(schemas, property, part, `${path}/${name}`));
  }
  return faults;
}

function typeOf(value: unknown, wanted: string | string[]): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number')
    return Number.isInteger(value) && [wanted].flat().includes('integer') ? 'integer' : 'number';
  return typeof value;
}

withDocument('every answer (skipped where the document is absent)', () => {
  let stage: Stage;
  let bot: TestBot;
  let schemas: Record<string, Schema>;

  beforeAll(async () => {
    schemas = (
      JSON.parse(readFileSync(FILE, 'utf8')) as { components: { schemas: Record<string, Schema> } }
    ).components.schemas;
    stage = await openStage();
    bot = await startBot(stage.standIn, DEMO_COMMANDS, demo);
  });
  afterAll(async () => {
    await bot.stop();
    await stage.standIn.close();
  });

  const get = async (path: string, method = 'GET', body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${stage.standIn.url}/v10${path}`, {
      method,
      headers: { authorization: `Bot ${stage.standIn.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answer.json();
  };
  const faultsOf = (name: string, value: unknown): string[] => {
    expect(schemas).toHaveProperty(name);
    return misfits(schemas, { $ref: `#/${name}` }, value);
  };

  test.each<[string, () => string, string]>([
    ['UserPIIResponse', () => '/users/@me', 'the bot’s user'],
    ['UserResponse', () => `/users/${stage.ada.memberId}`, 'a user'],
    ['PrivateApplicationResponse', () => '/applications/@me', 'the application'],
    ['GuildWithCountsResponse', () => `/guilds/${stage.standIn.guildId}`, 'the guild'],
    [
      'GuildMemberResponse',
      () => `/guilds/${stage.standIn.guildId}/members/${stage.ada.memberId}`,
      'a member',
    ],
    ['GuildChannelResponse', () => `/channels/${stage.standIn.channelId}`, 'a channel'],
    ['GatewayBotResponse', () => '/gateway/bot', 'the gateway'],
  ])('%s fits', async (name, path) => {
    expect(faultsOf(name, await get(path()))).toEqual([]);
  });

  test('the commands fit', async () => {
    const { applicationId, guildId } = stage.standIn;
    const commands = (await get(
      `/applications/${applicationId}/guilds/${guildId}/commands`,
    )) as unknown[];
    expect(commands).toHaveLength(DEMO_COMMANDS.length);
    expect(commands.flatMap((command) => faultsOf('ApplicationCommandResponse', command))).toEqual(
      [],
    );
  });

  test('messages with embeds, files, components and Components V2 fit', async () => {
    await stage.ada.command('roll').reply();
    await stage.ada.command('panel').reply();
    await stage.ada.command('balance').reply();
    const options = { to: stage.ben.memberId, asset: 'a' };
    await stage.ada.command('trade', { subcommand: 'offer', options }).reply();
    const messages = stage.standIn.messages();
    expect(messages).toHaveLength(4);
    expect(messages.flatMap((message) => faultsOf('MessageResponse', message))).toEqual([]);
  });

  test('a first answer with its response fits, and so does an error', async () => {
    const exchange = stage.ada.command('silent') as unknown as { id: string; token: string };
    const path = `/interactions/${exchange.id}/${exchange.token}/callback?with_response=true`;
    const answer = await get(path, 'POST', { type: 4, data: { content: 'c' } });
    expect(faultsOf('InteractionCallbackResponse', answer)).toEqual([]);
    expect(answer).toHaveProperty('resource.message.content', 'c');
    const again = await get(path, 'POST', { type: 4, data: { content: 'c' } });
    expect(faultsOf('ErrorResponse', again)).toEqual([]);
  });
});
