// The stand-in refuses what Discord refuses, with Discord's status, code and nested errors.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Exchange } from '../../src/playground/api.ts';
import { openStage } from '../support/discord-stand-in.ts';
import type { Stage } from '../support/discord-stand-in.ts';

interface Answer {
  status: number;
  body: { code?: number; message?: string; errors?: unknown; id?: string };
}

let stage: Stage;
let clock = Date.now();

async function call(
  method: string,
  path: string,
  body?: unknown,
  token = stage.standIn.token,
): Promise<Answer> {
  const answer = await fetch(`${stage.standIn.url}/v10${path}`, {
    method,
    headers: {
      authorization: `Bot ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
}

/** The interaction as the bot would have got it, caught on its way. */
function tokenOf(exchange: Exchange): string {
  return (exchange as unknown as { token: string }).token;
}

function callback(exchange: Exchange, type: number, data?: unknown): Promise<Answer> {
  return call('POST', `/interactions/${exchange.id}/${tokenOf(exchange)}/callback`, { type, data });
}

function webhook(
  method: string,
  exchange: Exchange,
  rest: string,
  body?: unknown,
): Promise<Answer> {
  return call(method, `/webhooks/${stage.standIn.applicationId}/${tokenOf(exchange)}${rest}`, body);
}

const button = (customId: string, more: object = {}) => ({
  type: 2,
  style: 1,
  label: customId,
  custom_id: customId,
  ...more,
});
const row = (...components: unknown[]) => ({ type: 1, components });
const select = (options: unknown[], more: object = {}) =>
  row({ type: 3, custom_id: 's', options, ...more });
const option = (value: string) => ({ label: value, value });
const many = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index));
const input = (more: object = {}) => ({
  type: 18,
  label: 'L',
  component: { type: 4, custom_id: 'i', style: 1, ...more },
});
const text = (content: string) => ({ type: 10, content });
const V2 = 32768;

beforeAll(async () => {
  stage = await openStage({ firstAnswerMs: 60_000, now: () => clock });
  const { applicationId, guildId } = stage.standIn;
  await call('PUT', `/applications/${applicationId}/guilds/${guildId}/commands`, [
    { name: 'go', description: 'Go' },
    {
      name: 'find',
      description: 'Find',
      options: [{ type: 3, name: 'q', description: 'Q', autocomplete: true }],
    },
  ]);
});
afterAll(() => stage.standIn.close());

describe('a first answer', () => {
  const long = (length: number): string => 'x'.repeat(length);
  const embed = (more: object) => ({ embeds: [{ title: 't', ...more }] });
  test.each<[string, object, string[], string]>([
    ['content over 2,000', { content: long(2001) }, ['data', 'content'], 'BASE_TYPE_MAX_LENGTH'],
    [
      'eleven embeds',
      { embeds: many(11, () => ({ title: 't' })) },
      ['data', 'embeds'],
      'BASE_TYPE_BAD_LENGTH',
    ],
    [
      'an embed title over 256',
      embed({ title: long(257) }),
      ['data', 'embeds', '0', 'title'],
      'BASE_TYPE_MAX_LENGTH',
    ],
    [
      'a description over 4,096',
      embed({ description: long(4097) }),
      ['data', 'embeds', '0', 'description'],
      'BASE_TYPE_MAX_LENGTH',
    ],
    [
      '26 fields',
      embed({ fields: many(26, () => ({ name: 'n', value: 'v' })) }),
      ['data', 'embeds', '0', 'fields'],
      'BASE_TYPE_BAD_LENGTH',
    ],
    [
      'a field name over 256',
      embed({ fields: [{ name: long(257), value: 'v' }] }),
      ['data', 'embeds', '0', 'fields', '0', 'name'],
      'BASE_TYPE_MAX_LENGTH',
    ],
    [
      'an empty field value',
      embed({ fields: [{ name: 'n', value: ' ' }] }),
      ['data', 'embeds', '0', 'fields', '0', 'value'],
      'BASE_TYPE_REQUIRED',
    ],
    [
      'a field value over 1,024',
      embed({ fields: [{ name: 'n', value: long(1025) }] }),
      ['data', 'embeds', '0', 'fields', '0', 'value'],
      'BASE_TYPE_MAX_LENGTH',
    ],
    [
      'a footer over 2,048',
      embed({ footer: { text: long(2049) } }),
      ['data', 'embeds', '0', 'footer', 'text'],
      'BASE_TYPE_MAX_LENGTH',
    ],
    [
      'embeds over 6,000 in all',
      { embeds: many(2, () => ({ description: long(3001) })) },
      ['data', 'embeds'],
      'MAX_EMBED_SIZE_EXCEEDED',
    ],
    [
      'six rows',
      { components: many(6, (n) => row(button(`b${n}`))) },
      ['data', 'components'],
      'BASE_TYPE_BAD_LENGTH',
    ],
    [
      'six buttons in a row',
      { components: [row(...many(6, (n) => button(`b${n}`)))] },
      ['data', 'components', '0', 'components'],
      'BASE_TYPE_BAD_LENGTH',
    ],
    [
      'a label over 80',
      { components: [row(button('b', { label: long(81) }))] },
      ['data', 'components', '0', 'components', '0', 'label'],
      'BASE_TYPE_MAX_LENGTH',
    ],
    [
      'a custom id over 100',
      { components: [row(button(long(101), { label: 'l' }))] },
      ['data', 'components', '0', 'components', '0', 'custom_id'],
      'BASE_TYPE_MAX_LENGTH',
    ],
    [
      'a custom id twice',
      { components: [row(button('b'), button('b'))] },
      ['data', 'components', '0', 'components', '1', 'custom_id'],
      'COMPONENT_CUSTOM_ID_DUPLICATED',
    ],
    [
      'a select without options',
      { components: [select([])] },
      ['data', 'components', '0', 'components', '0', 'options'],
      'BASE_TYPE_BAD_LENGTH',
    ],
    [
      'a select of 26',
      { components: [select(many(26, (n) => option(`o${n}`)))] },
      ['data', 'components', '0', 'components', '0', 'options'],
      'BASE_TYPE_BAD_LENGTH',
    ],
    [
      'a select value twice',
      { components: [select([option('a'), option('a')])] },
      ['data', 'components', '0', 'components', '0', 'options', '1', 'value'],
      'SELECT_COMPONENT_OPTION_VALUE_DUPLICATED',
    ],
    [
      'max_values over the options',
      { components: [select([option('a')], { max_values: 2 })] },
      ['data', 'components', '0', 'components', '0', 'max_values'],
      'NUMBER_TYPE_MAX',
    ],
    [
      'a select beside a button',
      { components: [row(button('b'), { type: 3, custom_id: 's', options: [option('a')] })] },
      ['data', 'components', '0', 'components'],
      'COMPONENT_LAYOUT_WIDTH_EXCEEDED',
    ],
    [
      'content with Components V2',
      { flags: V2, content: 'c', components: [text('t')] },
      ['data', 'content'],
      'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2',
    ],
    [
      '41 components in all',
      {
        flags: V2,
        components: many(4, () => ({ type: 17, components: many(10, () => text('t')) })),
      },
      ['data', 'components'],
      'COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED',
    ],
    [
      '4,001 characters of text displays',
      { flags: V2, components: [text(long(2000)), text(long(2001))] },
      ['data', 'components'],
      'COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED',
    ],
    [
      'V2 components without the flag',
      { components: [text('t')] },
      ['data', 'components', '0', 'type'],
      'UNION_TYPE_CHOICES',
    ],
    [
      'a file that was not sent',
      { flags: V2, components: [{ type: 13, file: { url: 'attachment://no.png' } }] },
      ['data', 'components', '0', 'file', 'url'],
      'UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND',
    ],
    [
      'mentions both parsed and listed',
      { content: 'c', allowed_mentions: { parse: ['users'], users: ['1'] } },
      ['data', 'allowed_mentions'],
      'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE',
    ],
  ])('with %s is refused as 50035', async (_, data, path, code) => {
    const exchange = stage.ada.command('go');
    const { status, body } = await callback(exchange, 4, data);
    expect([status, body.code, body.message]).toEqual([400, 50035, 'Invalid Form Body']);
    const faults = path.reduce<unknown>((node, key) => Object(node)[key], body.errors);
    expect(faults).toMatchObject({ _errors: [{ code }] });
    expect(exchange.violations).toMatchObject([{ code: 50035 }]);
    expect((await callback(exchange, 4, { content: 'well' })).status).toBe(204);
  });

  test.each<[string, object, string]>([
    ['title over 45', { title: 'x'.repeat(46) }, 'title'],
    ['label over 45', { components: [{ ...input(), label: 'x'.repeat(46) }] }, 'components'],
    ['six components', { components: many(6, (n) => input({ custom_id: `i${n}` })) }, 'components'],
    ['no component', { components: [] }, 'components'],
    [
      'a disabled select',
      {
        components: [
          { type: 18, label: 'l', component: { type: 5, custom_id: 'u', disabled: true } },
        ],
      },
      'components',
    ],
    [
      'a required select with min_values 0',
      {
        components: [
          { type: 18, label: 'l', component: { type: 5, custom_id: 'u', min_values: 0 } },
        ],
      },
      'components',
    ],
  ])('by a modal with %s is refused', async (_, data, where) => {
    const modal = { custom_id: 'm', title: 'T', components: [input()], ...data };
    const { body } = await callback(stage.ada.command('go'), 9, modal);
    expect(body.code).toBe(50035);
    expect(body.errors).toHaveProperty(['data', where]);
  });

  test.each<[string, unknown[]]>([
    ['26 choices', many(26, (n) => ({ name: `n${n}`, value: `v${n}` }))],
    ['a choice without a name', [{ name: '', value: 'v' }]],
    ['a choice name over 100', [{ name: 'x'.repeat(101), value: 'v' }]],
  ])('by an autocompletion with %s is refused', async (_, choices) => {
    const exchange = stage.ada.autocomplete('find', { focused: 'q' });
    expect((await callback(exchange, 8, { choices })).body.code).toBe(50035);
    expect((await callback(exchange, 4, { content: 'c' })).body.errors).toHaveProperty('type');
    expect((await callback(exchange, 8, { choices: [] })).status).toBe(204);
  });

  test('counts characters, not UTF-16 units', async () => {
    expect(
      (await callback(stage.ada.command('go'), 4, { content: '😀'.repeat(2000) })).status,
    ).toBe(204);
  });

  test('of nothing is 50006', async () => {
    expect((await callback(stage.ada.command('go'), 4, {})).body.code).toBe(50006);
  });

  test('must fit the interaction', async () => {
    const command = stage.ada.command('go');
    expect((await callback(command, 6)).body.errors).toHaveProperty('type');
    expect((await callback(command, 7, { content: 'c' })).body.errors).toHaveProperty('type');
    const modal = await (async () => {
      await callback(command, 9, { custom_id: 'm', title: 'T', components: [input()] });
      return command.modal();
    })();
    const submit = stage.ada.submitModal(modal, { i: 'text' });
    const again = { custom_id: 'm', title: 'T', components: [input()] };
    expect((await callback(submit, 9, again)).body.errors).toHaveProperty('type');
    expect((await callback(submit, 6)).body.errors).toHaveProperty('type');
  });

  test('a second time is 40060', async () => {
    const exchange = stage.ada.command('go');
    await callback(exchange, 5);
    expect(await callback(exchange, 4, { content: 'c' })).toMatchObject({
      status: 400,
      body: { code: 40060 },
    });
  });

  test('to an unknown interaction is 10062', async () => {
    expect(await call('POST', '/interactions/1/x/callback', { type: 5 })).toMatchObject({
      status: 404,
      body: { code: 10062 },
    });
  });

  test('that comes too late is 10062, and the member has seen the failure', async () => {
    const late = await openStage({ firstAnswerMs: 30 });
    const commands = `/applications/${late.standIn.applicationId}/commands`;
    const send = (method: string, path: string, body: unknown) =>
      fetch(`${late.standIn.url}/v10${path}`, {
        method,
        headers: { authorization: `Bot ${late.standIn.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await send('PUT', commands, [{ name: 'go', description: 'Go' }]);
    const exchange = late.ada.command('go');
    expect(await exchange.firstResponse()).toEqual({ kind: 'did-not-respond' });
    await expect(exchange.reply()).rejects.toThrow('did-not-respond');
    const answer = await send(
      'POST',
      `/interactions/${exchange.id}/${tokenOf(exchange)}/callback`,
      { type: 5 },
    );
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { message: 'Unknown interaction', code: 10062 },
    ]);
    await late.standIn.close();
  });
});

describe('a webhook call', () => {
  test('before the acknowledgement is 10015', async () => {
    const exchange = stage.ada.command('go');
    expect(await webhook('PATCH', exchange, '/messages/@original', { content: 'c' })).toMatchObject(
      { status: 404, body: { code: 10015 } },
    );
  });

  test('after 15 minutes, or with a token that was ended, is 50027', async () => {
    const exchange = stage.ada.command('go');
    const other = stage.ada.command('go');
    await callback(exchange, 5);
    await callback(other, 5);
    stage.standIn.expireToken(other);
    expect(await webhook('POST', other, '', { content: 'c' })).toMatchObject({
      status: 401,
      body: { code: 50027 },
    });
    clock += 15 * 60 * 1000;
    expect(await webhook('POST', exchange, '', { content: 'c' })).toMatchObject({
      status: 401,
      body: { code: 50027 },
    });
  });

  test('cannot change who sees a reply', async () => {
    const exchange = stage.ada.command('go');
    await callback(exchange, 5, { flags: 64 });
    await webhook('PATCH', exchange, '/messages/@original', { content: 'c', flags: 0 });
    expect((await exchange.reply()).flags).toBe(64);
    await webhook('POST', exchange, '', { content: 'aloud' });
    expect(exchange.followUps()[0]?.flags).toBe(0);
  });

  test('that follows up on a deferral fills it', async () => {
    const exchange = stage.ada.command('go');
    await callback(exchange, 5, { flags: 64 });
    await webhook('POST', exchange, '', { content: 'filled' });
    expect(await exchange.reply()).toMatchObject({ content: 'filled', flags: 64 });
    expect(exchange.followUps()).toEqual([]);
  });

  test('on a message that is gone is 10008', async () => {
    const exchange = stage.ada.command('go');
    await callback(exchange, 4, { content: 'c' });
    expect((await webhook('DELETE', exchange, '/messages/@original')).status).toBe(204);
    expect(exchange.deleted).toBe(true);
    expect(await webhook('GET', exchange, '/messages/@original')).toMatchObject({
      status: 404,
      body: { code: 10008 },
    });
  });

  test('that empties a message is 50006', async () => {
    const exchange = stage.ada.command('go');
    await callback(exchange, 4, { content: 'c' });
    expect(
      (await webhook('PATCH', exchange, '/messages/@original', { content: '' })).body.code,
    ).toBe(50006);
  });
});

describe('commands', () => {
  const opt = (more: object) => ({ type: 3, name: 'o', description: 'd', ...more });
  test.each<[string, unknown[]]>([
    ['an upper-case name', [{ name: 'Go', description: 'd' }]],
    ['no description', [{ name: 'go' }]],
    ['a description over 100', [{ name: 'go', description: 'x'.repeat(101) }]],
    [
      'a name twice',
      [
        { name: 'go', description: 'd' },
        { name: 'go', description: 'd' },
      ],
    ],
    [
      'a required option after an optional one',
      [{ name: 'go', description: 'd', options: [opt({}), opt({ name: 'p', required: true })] }],
    ],
    [
      '26 options',
      [{ name: 'go', description: 'd', options: many(26, (n) => opt({ name: `o${n}` })) }],
    ],
    ['an option name twice', [{ name: 'go', description: 'd', options: [opt({}), opt({})] }]],
    [
      'choices and autocompletion together',
      [
        {
          name: 'go',
          description: 'd',
          options: [opt({ autocomplete: true, choices: [{ name: 'a', value: 'a' }] })],
        },
      ],
    ],
    [
      'subcommands beside options',
      [
        {
          name: 'go',
          description: 'd',
          options: [opt({}), { type: 1, name: 's', description: 'd' }],
        },
      ],
    ],
    [
      'over 8,000 characters',
      [
        {
          name: 'go',
          description: 'd',
          options: many(25, (n) =>
            opt({
              name: `o${n}`,
              choices: many(5, (c) => ({ name: `${c}${'x'.repeat(80)}`, value: `${c}` })),
            }),
          ),
        },
      ],
    ],
  ])('with %s are refused', async (_, commands) => {
    const path = `/applications/${stage.standIn.applicationId}/commands`;
    expect(await call('PUT', path, commands)).toMatchObject({ status: 400, body: { code: 50035 } });
  });

  test('beyond a hundred are 30032', async () => {
    const path = `/applications/${stage.standIn.applicationId}/commands`;
    const commands = many(101, (n) => ({ name: `c${n}`, description: 'd' }));
    expect(await call('PUT', path, commands)).toMatchObject({ status: 400, body: { code: 30032 } });
  });

  test('keep their id when they are overwritten by the same name', async () => {
    const path = `/applications/${stage.standIn.applicationId}/commands`;
    const first = (await call('PUT', path, [{ name: 'kept', description: 'a' }]))
      .body as unknown as { id: string }[];
    const second = (await call('PUT', path, [{ name: 'kept', description: 'b' }]))
      .body as unknown as { id: string; description: string }[];
    expect(second[0]).toMatchObject({ id: first[0]?.id, description: 'b' });
  });
});

describe('the rest', () => {
  test('a wrong token is 401 in Discord’s words', async () => {
    expect(await call('GET', '/users/@me', undefined, 'wrong')).toEqual({
      status: 401,
      body: { message: '401: Unauthorized', code: 0 },
    });
  });

  test('an unknown route is 404 in Discord’s words', async () => {
    expect(await call('GET', '/stickers/1')).toEqual({
      status: 404,
      body: { message: '404: Not Found', code: 0 },
    });
  });

  test('a body that is no JSON is 50109', async () => {
    const answer = await fetch(
      `${stage.standIn.url}/v10/channels/${stage.standIn.channelId}/messages`,
      {
        method: 'POST',
        headers: {
          authorization: `Bot ${stage.standIn.token}`,
          'content-type': 'application/json',
        },
        body: '{',
      },
    );
    expect([answer.status, ((await answer.json()) as { code: number }).code]).toEqual([400, 50109]);
  });

  test('mentions ping whom allowed_mentions lets them', async () => {
    const channel = `/channels/${stage.standIn.channelId}/messages`;
    const content = `<@${stage.ada.memberId}> <@${stage.ben.memberId}> @everyone`;
    const all = await call('POST', channel, { content });
    expect(stage.standIn.pingsOf(all.body.id ?? '')).toEqual([
      stage.ada.memberId,
      stage.ben.memberId,
      '@everyone',
    ]);
    const none = await call('POST', channel, { content, allowed_mentions: { parse: [] } });
    expect(stage.standIn.pingsOf(none.body.id ?? '')).toEqual([]);
    const one = await call('POST', channel, {
      content,
      allowed_mentions: { users: [stage.ben.memberId] },
    });
    expect(stage.standIn.pingsOf(one.body.id ?? '')).toEqual([stage.ben.memberId]);
    const exchange = stage.ada.command('go');
    await callback(exchange, 4, { content });
    expect(stage.standIn.pingsOf(exchange.message()?.id ?? '')).toEqual([
      stage.ada.memberId,
      stage.ben.memberId,
    ]);
  });

  test('an ephemeral message is out of the channel’s reach', async () => {
    const exchange = stage.ada.command('go');
    await callback(exchange, 4, { content: 'psst', flags: 64 });
    const id = exchange.message()?.id ?? '';
    const path = `/channels/${stage.standIn.channelId}/messages`;
    expect((await call('GET', `${path}/${id}`)).body.code).toBe(10008);
    expect((await call('PATCH', `${path}/${id}`, { content: 'x' })).body.code).toBe(10008);
    expect(JSON.stringify((await call('GET', path)).body)).not.toContain(id);
  });

  test('a channel keeps its newest 500 messages', async () => {
    const small = await openStage();
    const path = `${small.standIn.url}/v10/channels/${small.standIn.channelId}/messages`;
    const headers = {
      authorization: `Bot ${small.standIn.token}`,
      'content-type': 'application/json',
    };
    for (let n = 0; n < 510; n += 1) {
      await fetch(path, { method: 'POST', headers, body: JSON.stringify({ content: `m${n}` }) });
    }
    const kept = small.standIn.messages();
    expect([kept.length, kept[0]?.content, kept.at(-1)?.content]).toEqual([500, 'm10', 'm509']);
    await small.standIn.close();
  });
});
