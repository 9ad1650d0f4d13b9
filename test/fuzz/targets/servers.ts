// What comes over a network: requests to the HTTP API, interactions from Discord's gateway, forms of the playground.
import type { FastifyInstance } from 'fastify';
import { startDiscord } from '../../../src/discord/client.ts';
import { loadCommands } from '../../../src/discord/load-commands.ts';
import { buildHttp } from '../../../src/http/server.ts';
import { readCommands } from '../../../src/playground/command-form.ts';
import { modalForm } from '../../../src/playground/component-form.ts';
import { readForm } from '../../../src/playground/form.ts';
import { readMessage } from '../../../src/playground/message-form.ts';
import { PageActs } from '../../../src/playground/page-acts.ts';
import { ClientRefusal } from '../../../src/playground/api.ts';
import { DiscordRefusal, FormErrors } from '../../../src/playground/refusals.ts';
import { ERRORS } from '../../../src/shared/errors.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { openStage } from '../../support/discord-stand-in.ts';
import { FakeApp } from '../../support/fake-app.ts';
import { FakeNode } from '../../support/fake-node.ts';
import { parsesAsJson } from '../refusals.ts';
import { must, pure, type OpenTarget, type Target } from '../target.ts';

const STATUSES = [200, 204, 400, 403, 404, 409, 413, 429, 431, 503];
const RECORD = { owner_id: 'o', asset_id: 'a', passphrase: 'p', metadata: { a: 1 } };

type Reply = Awaited<ReturnType<FastifyInstance['inject']>>;

function checkReply(reply: Reply): void {
  must(STATUSES.includes(reply.statusCode), `no request is answered with ${reply.statusCode}`);
  const isPlain = String(reply.headers['content-type']).startsWith('text/plain');
  must(isPlain || reply.body === '' || parsesAsJson(reply.body), 'an answer is JSON');
  if (reply.statusCode < 400 || isPlain) return;
  const { code } = reply.json<{ code: string }>();
  must(Object.hasOwn(ERRORS, code), 'a refusal has a code of the table');
}

/** Clients are not throttled here: a million of them are one. */
function openHttp(check: (server: FastifyInstance, input: string) => Promise<void>): OpenTarget {
  let server = buildHttp(new FakeNode());
  let count = 0;
  return {
    check: async (input) => {
      count += 1;
      // What was created would pile up, and creates are limited for each client.
      if (count % 500 === 0) {
        await server.close();
        server = buildHttp(new FakeNode());
      }
      await check(server, input);
    },
    close: () => server.close(),
  };
}

const FORMS = {
  reason: 'the form is read by a schema library',
  times: 10,
};

function refusedByDiscord<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DiscordRefusal)) throw error;
    must(error.status >= 400 && error.status < 500, 'a bad form is the sender’s mistake');
    JSON.stringify(error.body());
    return undefined;
  }
}

const MESSAGE = {
  content: 'hi',
  embeds: [{ title: 't', fields: [{ name: 'n', value: 'v' }] }],
  components: [
    { type: 1, components: [{ type: 2, style: 1, label: 'x', custom_id: 'v1:a:b:0:c' }] },
  ],
  allowed_mentions: { parse: [] },
  attachments: [{ id: 0, filename: 'a.png' }],
};
const COMMANDS = [
  {
    name: 'roll',
    description: 'd',
    name_localizations: { de: 'wurf' },
    options: [{ type: 3, name: 'a', description: 'd', choices: [{ name: 'n', value: 'v' }] }],
  },
];
const MODAL = {
  custom_id: 'x',
  title: 't',
  components: [{ type: 1, components: [{ type: 4, custom_id: 'y', label: 'l', style: 1 }] }],
};

const ACTS = ['command', 'autocomplete', 'click', 'select', 'modal'].map((type) => ({
  memberId: 'x',
  channelId: 'y',
  act: {
    type,
    name: 'help',
    options: { a: 1 },
    focused: 'a',
    messageId: '1',
    customId: 'c',
    values: ['v'],
    modalId: 'm',
    fields: { f: 'x' },
  },
}));

/** Ids of interactions, which carry their time: one of the year 2082, so that it is never late, and one of 2022. */
const [COMES_NOW, CAME_TOO_LATE] = [9_000_000_000_000_000_000n, 1_000_000_000_000_000_000n];

/** The real client on the stand-in's gateway; after each hostile interaction the bot still answers a good one. */
async function openGateway(): Promise<OpenTarget> {
  const { standIn, ada } = await openStage();
  const { token, url: apiUrl, guildId } = standIn;
  const faults: unknown[] = [];
  const keep = (fault: unknown): void => void faults.push(fault);
  process.on('unhandledRejection', keep);
  process.on('uncaughtException', keep);
  const commands = await loadCommands();
  const connection = await startDiscord({
    token,
    apiUrl,
    guildId,
    commands,
    app: new FakeApp(),
    logger: silentLogger,
  });
  await standIn.botReady({ command: 'help' });
  let count = 0;
  return {
    check: async (input) => {
      const hostile: unknown = parsesAsJson(input) ? JSON.parse(input) : input;
      const good = ada.command('help');
      count += 1;
      const payload =
        typeof hostile === 'object' && hostile !== null
          ? {
              ...hostile,
              id: String((count % 2 === 0 ? COMES_NOW : CAME_TOO_LATE) + BigInt(count)),
            }
          : hostile;
      const told = Object.assign(Object.create(Object.getPrototypeOf(good) as object), good, {
        payload,
      });
      standIn.redeliver(told as typeof good);
      const last = ada.command('help');
      for (const exchange of [good, last]) {
        const { kind } = await exchange.firstResponse();
        must(kind === 'message' || kind === 'deferred', 'the bot goes on answering');
      }
      const [fault] = faults.splice(0);
      if (fault !== undefined) throw new Error('nobody handled it', { cause: fault });
    },
    close: async () => {
      await connection.close();
      await standIn.close();
      process.off('unhandledRejection', keep);
      process.off('uncaughtException', keep);
    },
  };
}

const USER = { id: '1200000000000000001', username: 'ada', discriminator: '0', avatar: null };
const INTERACTION = {
  ...{
    id: '1',
    application_id: '2',
    token: 't',
    version: 1,
    locale: 'en-US',
    guild_id: '3',
    channel_id: '4',
  },
  ...{
    guild_locale: 'en-US',
    context: 0,
    app_permissions: '0',
    entitlements: [],
    authorizing_integration_owners: {},
  },
  member: { user: USER, roles: [], permissions: '0', joined_at: '2026-01-01T00:00:00Z', flags: 0 },
  channel: { id: '4', type: 0, permissions: '0' },
};
const INTERACTIONS = [
  {
    ...INTERACTION,
    type: 2,
    data: {
      id: '5',
      name: 'pay',
      type: 1,
      options: [{ type: 6, name: 'to', value: '1200000000000000002' }],
      resolved: { users: {} },
    },
  },
  {
    ...INTERACTION,
    type: 2,
    data: {
      id: '5',
      name: 'trade',
      type: 1,
      options: [{ type: 1, name: 'add', options: [{ type: 3, name: 'asset', value: 'x' }] }],
    },
  },
  {
    ...INTERACTION,
    type: 3,
    data: { component_type: 2, custom_id: 'v1:trade:K7Q2:1:lock' },
    message: {
      id: '6',
      channel_id: '4',
      author: USER,
      content: '',
      embeds: [],
      components: [],
      attachments: [],
    },
  },
  {
    ...INTERACTION,
    type: 3,
    data: { component_type: 3, custom_id: 'v1:trade:K7Q2:1:add', values: ['a'] },
    message: { id: '6', channel_id: '4', author: USER },
  },
  {
    ...INTERACTION,
    type: 4,
    data: {
      id: '5',
      name: 'gift',
      type: 1,
      options: [{ type: 3, name: 'asset', value: 'x', focused: true }],
    },
  },
  {
    ...INTERACTION,
    type: 5,
    data: {
      custom_id: 'v1:trade:K7Q2:1:coins',
      components: [{ type: 1, components: [{ type: 4, custom_id: 'coins', value: 'all' }] }],
    },
  },
];

const BY_SERVER = { times: 50, reason: 'each input is a request through the whole server' };

export const serverTargets: readonly Target[] = [
  {
    name: 'http-path',
    covers: ['src/http/server.ts#buildHttp', 'src/http/routes/history.ts#makeHistoryRoutes'],
    seeds: [
      '/api/query/history/asset/crane/5',
      '/api/query/spot/owner/a%20b',
      '/api/transaction/status/x',
      '/api/transaction/detail/x',
      '/api/introspection/query/assets?x=1',
    ],
    tokens: [
      '%',
      '%00',
      '%2f',
      '%ff',
      '/',
      '//',
      '..',
      '?',
      '#',
      '-1',
      '+5',
      '9223372036854775808',
      '\u00e9',
      'é',
      '__proto__',
      'constructor',
    ],
    maxLength: 2_000,
    slower: BY_SERVER,
    open: () =>
      openHttp(async (server, input) => {
        // As a client sends it: what is beyond ASCII or breaks the request line does not reach a server as it is.
        const url = `/${input.replace(/^[/\\]+/, '')}`
          .toWellFormed()
          .replace(/[^\u0021-\u007e]/gu, (c) => encodeURIComponent(c));
        checkReply(await server.inject({ method: 'GET', url }));
      }),
  },
  {
    name: 'http-create',
    covers: [
      'src/http/read-json.ts#readJsonObject',
      'src/http/routes/create-transaction.ts#makeCreateRoute',
    ],
    seeds: [
      JSON.stringify(RECORD),
      JSON.stringify({ ...RECORD, transaction_id: '11111111-2222-4333-8444-555555555555' }),
      JSON.stringify({ owner_id: 'o', asset_id: 'b' }),
    ],
    tokens: ['"Owner_id":', '"__proto__":{}', '\\ud800', '\u0000', '1e400', '[[[[[[', '.lock'],
    isJson: true,
    slower: BY_SERVER,
    open: () =>
      openHttp(async (server, input) => {
        const headers = {
          'idempotency-key': input.slice(0, 20).replace(/[^\t -~]/g, ''),
          'content-type': input.slice(-9).replace(/[^ -~]/g, ''),
        };
        checkReply(
          await server.inject({
            method: 'POST',
            url: '/api/transaction/create',
            payload: Buffer.from(input),
            headers,
          }),
        );
      }),
  },
  {
    name: 'gateway',
    covers: ['src/discord/dispatcher.ts#Dispatcher'],
    seeds: INTERACTIONS.map((one) => JSON.stringify(one)),
    tokens: [
      'v1:trade:K7Q2:1:lock',
      'v1:page:x:0:next',
      '"type":',
      '1200000000000000001',
      'x'.repeat(2_000),
    ],
    isJson: true,
    slower: {
      times: 25,
      reason: 'each input goes through a gateway’s socket, and is followed by a good command',
    },
    open: openGateway,
  },
  pure({
    name: 'playground-message',
    covers: [
      'src/playground/message-form.ts#readMessage',
      'src/playground/form.ts#readForm',
      'src/playground/component-form.ts#modalForm',
    ],
    seeds: [
      JSON.stringify(MESSAGE),
      JSON.stringify(MODAL),
      JSON.stringify({
        flags: 32768,
        components: [
          { type: 10, content: 'x' },
          { type: 17, components: [] },
        ],
      }),
    ],
    tokens: ['"type":17', '"custom_id":"x"', 'https://', '"flags":32768'],
    isJson: true,
    slower: FORMS,
    check: (input) => {
      const body: unknown = parsesAsJson(input) ? JSON.parse(input) : input;
      const errors = new FormErrors();
      refusedByDiscord(() => {
        readMessage(body, errors);
        errors.throwIfAny();
      });
      const modalErrors = new FormErrors(['data']);
      const modal = readForm(modalForm, body, modalErrors);
      must((modal === undefined) === !modalErrors.empty, 'a form that is not taken says why');
    },
  }),
  pure({
    name: 'playground-commands',
    covers: [
      'src/playground/command-form.ts#readCommands',
      'src/playground/command-form.ts#readCommand',
    ],
    seeds: [JSON.stringify(COMMANDS)],
    tokens: ['constructor', '__proto__', '"type":1', '"required":true'],
    isJson: true,
    slower: FORMS,
    check: (input) => {
      const body: unknown = parsesAsJson(input) ? JSON.parse(input) : input;
      refusedByDiscord(() => readCommands(body));
    },
  }),
  {
    name: 'playground-acts',
    covers: [
      'src/playground/page-acts.ts#PageActs',
      'src/playground/command-input.ts#fillCommand',
      'src/playground/modal-input.ts#fillModal',
    ],
    seeds: ACTS.map((act) => JSON.stringify(act)),
    tokens: ['"type":"command"', 'constructor', '__proto__'],
    isJson: true,
    slower: FORMS,
    open: async () => {
      const { standIn, ada } = await openStage({ firstAnswerMs: 2 });
      const acts = new PageActs(standIn);
      return {
        check: async (input) => {
          const body: unknown = JSON.parse(
            (parsesAsJson(input) ? input : '{}')
              .replaceAll('"memberId":"x"', `"memberId":"${ada.memberId}"`)
              .replaceAll('"channelId":"y"', `"channelId":"${standIn.channelId}"`),
          );
          try {
            await acts.perform(body);
          } catch (error) {
            if (!(error instanceof ClientRefusal || error instanceof DiscordRefusal)) throw error;
          }
        },
        close: () => standIn.close(),
      };
    },
  },
];
