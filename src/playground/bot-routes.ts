// The routes that the bot's own token opens: who it is, its commands, channels, messages and members.
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { readCommand, readCommands } from './command-form.ts';
import type { CommandBody } from './command-form.ts';
import { gatewayUrl } from './gateway.ts';
import { buildGuild } from './guild.ts';
import { PING_ALL, createMessage, editMessage, findUser } from './messages.ts';
import { FormErrors, refuse } from './refusals.ts';
import { readForm } from './form.ts';
import { readBody } from './request-body.ts';
import type { WireChannel, WireCommand, WireMessage } from './wire.ts';
import type { StoredMessage, World } from './world.ts';

const DEFAULT_MESSAGE = 0;
const REPLY = 19;

/** Adds the routes. */
export function addBotRoutes(server: FastifyInstance, { world }: { world: World }): void {
  addSelfRoutes(server, world);
  addCommandRoutes(server, world, 'global', '/applications/:application/commands');
  addCommandRoutes(server, world, 'guild', '/applications/:application/guilds/:guild/commands');
  addPeopleRoutes(server, world);
  addChannelRoutes(server, world);
}

function addSelfRoutes(server: FastifyInstance, world: World): void {
  server.get('/gateway', () => ({ url: gatewayUrl(world.origin) }));
  server.get('/gateway/bot', () => ({
    url: gatewayUrl(world.origin),
    shards: 1,
    session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 },
  }));
  server.get('/users/@me', () => ({
    ...world.bot.user,
    verified: true,
    mfa_enabled: true,
    email: null,
    locale: 'en-US',
  }));
  const application = () => ({
    id: world.applicationId,
    name: world.bot.user.username,
    icon: null,
    description: '',
    summary: '',
    type: null,
    bot: world.bot.user,
    bot_public: true,
    bot_require_code_grant: false,
    verify_key: '0'.repeat(64),
    flags: 0,
    flags_new: '0',
    approximate_user_install_count: 0,
    approximate_user_authorization_count: 0,
    explicit_content_filter: 0,
    eligible_oauth2_scopes: [],
    redirect_uris: [],
    interactions_endpoint_url: null,
    role_connections_verification_url: null,
    owner: world.bot.user,
    approximate_guild_count: 1,
    team: null,
  });
  server.get('/applications/@me', application);
  server.get('/oauth2/applications/@me', application);
}

interface CommandParams {
  application: string;
  guild?: string;
  command: string;
}

function addCommandRoutes(
  server: FastifyInstance,
  world: World,
  scope: 'guild' | 'global',
  path: string,
): void {
  const commands = world.commandsOf(scope);
  const check = ({ application, guild }: CommandParams): void => {
    if (application !== world.applicationId) throw refuse.missingAccess();
    if (scope === 'guild' && guild !== world.guildId) throw refuse.missingAccess();
  };
  const find = (params: CommandParams): WireCommand => {
    check(params);
    const command = commands.get(params.command);
    if (command === undefined) throw refuse.unknownCommand();
    return command;
  };
  const put = (body: CommandBody, id?: string): WireCommand => {
    const type = body.type ?? 1;
    const same = [...commands.values()].find((one) => one.name === body.name && one.type === type);
    const command = buildCommand(world, scope, body, id ?? same?.id);
    commands.set(command.id, command);
    world.emit({ type: 'commands' });
    return command;
  };
  server.get<{ Params: CommandParams }>(path, ({ params }) => {
    check(params);
    return [...commands.values()];
  });
  server.put<{ Params: CommandParams }>(path, ({ params, body }) => {
    check(params);
    const bodies = readCommands(body);
    const before = [...commands.values()];
    commands.clear();
    for (const one of bodies) {
      const same = before.find(({ name, type }) => name === one.name && type === (one.type ?? 1));
      const command = buildCommand(world, scope, one, same?.id);
      commands.set(command.id, command);
    }
    world.emit({ type: 'commands' });
    return [...commands.values()];
  });
  server.post<{ Params: CommandParams }>(path, ({ params, body }, reply) => {
    check(params);
    const size = commands.size;
    const command = put(readCommand(body));
    return reply.code(commands.size > size ? 201 : 200).send(command);
  });
  server.get<{ Params: CommandParams }>(`${path}/:command`, ({ params }) => find(params));
  server.patch<{ Params: CommandParams }>(`${path}/:command`, ({ params, body }) => {
    const before = find(params);
    return put(readCommand({ ...before, ...Object(body) }), before.id);
  });
  server.delete<{ Params: CommandParams }>(`${path}/:command`, ({ params }, reply) => {
    commands.delete(find(params).id);
    world.emit({ type: 'commands' });
    return reply.code(204).send();
  });
}

function buildCommand(
  world: World,
  scope: 'guild' | 'global',
  body: CommandBody,
  id = world.ids.next(),
): WireCommand {
  const permissions = body.default_member_permissions ?? null;
  return {
    id,
    application_id: world.applicationId,
    version: world.ids.next(),
    type: body.type ?? 1,
    name: body.name,
    description: body.description ?? '',
    name_localizations: body.name_localizations ?? null,
    description_localizations: body.description_localizations ?? null,
    default_member_permissions: permissions === null ? null : String(permissions),
    nsfw: body.nsfw ?? false,
    ...(body.options === undefined ? {} : { options: body.options }),
    ...(scope === 'guild'
      ? { guild_id: world.guildId }
      : {
          contexts: body.contexts ?? null,
          integration_types: body.integration_types ?? [0],
          dm_permission: body.dm_permission ?? true,
        }),
  };
}

function addPeopleRoutes(server: FastifyInstance, world: World): void {
  server.get<{ Params: { guild: string } }>('/guilds/:guild', ({ params }) => {
    checkGuild(world, params.guild);
    const owner = world.members.keys().next().value ?? world.bot.user.id;
    return buildGuild(world.guildId, world.guildName, owner, world.roles);
  });
  server.get<{ Params: { guild: string } }>('/guilds/:guild/channels', ({ params }) => {
    checkGuild(world, params.guild);
    return [...world.channels.values()].filter(({ guild_id: guild }) => guild !== undefined);
  });
  server.get<{ Params: { guild: string } }>('/guilds/:guild/roles', ({ params }) => {
    checkGuild(world, params.guild);
    return world.roles;
  });
  server.get<{ Params: { guild: string; user: string } }>(
    '/guilds/:guild/members/:user',
    ({ params }) => {
      checkGuild(world, params.guild);
      if (findUser(world, params.user) === undefined) throw refuse.unknownMember();
      return world.members.get(params.user) ?? world.bot;
    },
  );
  server.get<{ Params: { user: string } }>('/users/:user', ({ params }) => {
    const user = findUser(world, params.user);
    if (user === undefined) throw refuse.unknownUser();
    return user;
  });
  server.post('/users/@me/channels', ({ body }) => {
    const errors = new FormErrors();
    const form = readForm(z.object({ recipient_id: z.coerce.string() }), body, errors);
    if (form === undefined) throw errors.refusal();
    const member = world.members.get(form.recipient_id);
    if (member !== undefined) return world.dmChannel(member);
    throw form.recipient_id === world.bot.user.id
      ? refuse.cannotMessageUser()
      : refuse.unknownUser();
  });
}

function checkGuild(world: World, id: string): void {
  if (id !== world.guildId) throw refuse.unknownGuild();
}

interface MessageParams {
  channel: string;
  message: string;
}

function addChannelRoutes(server: FastifyInstance, world: World): void {
  const channelOf = ({ channel }: { channel: string }): WireChannel => {
    const found = world.channels.get(channel);
    if (found === undefined) throw refuse.unknownChannel();
    return found;
  };
  const messageOf = (params: MessageParams): StoredMessage => {
    const stored = world.findMessage(params.message);
    // Ephemeral messages exist for their interaction's token only.
    const visible = stored?.viewerId === null && stored.wire.channel_id === channelOf(params).id;
    if (stored === undefined || !visible) throw refuse.unknownMessage();
    return stored;
  };
  server.get<{ Params: { channel: string } }>('/channels/:channel', ({ params }) =>
    channelOf(params),
  );
  server.get<{
    Params: { channel: string };
    Querystring: { limit?: string; before?: string; after?: string };
  }>('/channels/:channel/messages', ({ params, query }) => {
    const limit = Math.min(Number(query.limit ?? 50), 100);
    const seen = world.messagesOf(channelOf(params).id).filter(({ viewerId }) => viewerId === null);
    const { before, after } = query;
    const inRange = seen
      .map(({ wire }) => wire)
      .filter(({ id }) => before === undefined || BigInt(id) < BigInt(before))
      .filter(({ id }) => after === undefined || BigInt(id) > BigInt(after));
    return (after === undefined ? inRange.slice(-limit) : inRange.slice(0, limit)).reverse();
  });
  server.post<{ Params: { channel: string } }>('/channels/:channel/messages', async (request) => {
    const { id, guild_id: guild } = channelOf(request.params);
    const read = await readBody(request);
    const reference = replyTarget(world, read.body, id);
    const place = {
      channelId: id,
      type: reference === undefined ? DEFAULT_MESSAGE : REPLY,
      viewerId: null,
      defaultMentions: PING_ALL,
      extra: reference === undefined ? {} : replyExtra(reference, guild),
    };
    return createMessage(world, read, place).wire;
  });
  const path = '/channels/:channel/messages/:message';
  server.get<{ Params: MessageParams }>(path, ({ params }) => messageOf(params).wire);
  server.patch<{ Params: MessageParams }>(
    path,
    async (request) => editMessage(world, await readBody(request), messageOf(request.params)).wire,
  );
  server.delete<{ Params: MessageParams }>(path, ({ params }, reply) => {
    world.deleteMessage(messageOf(params).wire.id);
    return reply.code(204).send();
  });
}

function replyExtra(target: WireMessage, guild: string | undefined): Partial<WireMessage> {
  const { id, channel_id: channel } = target;
  const place = guild === undefined ? {} : { guild_id: guild };
  return { message_reference: { type: 0, message_id: id, channel_id: channel, ...place } };
}

function replyTarget(world: World, body: unknown, channelId: string): WireMessage | undefined {
  const schema = z.object({
    message_reference: z
      .object({ message_id: z.coerce.string(), fail_if_not_exists: z.boolean().default(true) })
      .nullish(),
  });
  const reference = schema.safeParse(body).data?.message_reference ?? undefined;
  if (reference === undefined) return undefined;
  const target = world.findMessage(reference.message_id);
  if (target?.wire.channel_id === channelId) return target.wire;
  if (!reference.fail_if_not_exists) return undefined;
  const errors = new FormErrors();
  errors.add(['message_reference'], 'REPLIES_UNKNOWN_MESSAGE', 'Unknown message');
  throw errors.refusal();
}
