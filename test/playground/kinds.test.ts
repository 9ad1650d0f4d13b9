// A real discord.js client meets every kind of interaction on the stand-in.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  ActionRowBuilder,
  ApplicationCommandOptionType,
  ButtonBuilder,
  ButtonStyle,
  ContainerBuilder,
  LabelBuilder,
  MessageFlags,
  ModalBuilder,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
  UserSelectMenuBuilder,
} from 'discord.js';
import type { ApplicationCommandData, Interaction, MessageComponentInteraction } from 'discord.js';
import { ClientRefusal } from '../../src/playground/api.ts';
import { ADA_ID, BEN_ID, isEphemeral, openStage, textOf } from '../support/discord-stand-in.ts';
import type { Stage } from '../support/discord-stand-in.ts';
import { startBot } from './bot.ts';
import type { TestBot } from './bot.ts';

const {
  String: text,
  Integer,
  User,
  Subcommand,
  SubcommandGroup,
  Attachment,
} = ApplicationCommandOptionType;
const COMMANDS: ApplicationCommandData[] = [
  {
    name: 'echo',
    description: 'Says what you say',
    options: [
      { type: text, name: 'text', description: 'What', required: true, maxLength: 20 },
      { type: Integer, name: 'times', description: 'How often', minValue: 1, maxValue: 3 },
      { type: User, name: 'to', description: 'To whom' },
      {
        type: text,
        name: 'tone',
        description: 'How',
        choices: [{ name: 'Loud', value: 'loud' }],
      },
    ],
  },
  { name: 'slow', description: 'Defers' },
  { name: 'menu', description: 'Buttons and selects' },
  { name: 'secret', description: 'Ephemeral, then follows up' },
  { name: 'picture', description: 'Sends a file' },
  { name: 'panel', description: 'Components V2' },
  { name: 'silent', description: 'Never answers' },
  {
    name: 'find',
    description: 'Autocompletes',
    options: [
      { type: text, name: 'what', description: 'What', required: true, autocomplete: true },
    ],
  },
  {
    name: 'asset',
    description: 'Nested',
    options: [
      {
        type: SubcommandGroup,
        name: 'gift',
        description: 'Gifts',
        options: [
          {
            type: Subcommand,
            name: 'send',
            description: 'Send',
            options: [{ type: Attachment, name: 'card', description: 'Card', required: true }],
          },
        ],
      },
    ],
  },
];

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);

function menuRows() {
  const buttons = new ActionRowBuilder<ButtonBuilder>().addComponents(
    new ButtonBuilder().setCustomId('go').setLabel('Go').setStyle(ButtonStyle.Primary),
    new ButtonBuilder().setCustomId('ask').setLabel('Ask').setStyle(ButtonStyle.Secondary),
    new ButtonBuilder()
      .setCustomId('off')
      .setLabel('Off')
      .setStyle(ButtonStyle.Danger)
      .setDisabled(true),
    new ButtonBuilder().setURL('https://example.com').setLabel('Link').setStyle(ButtonStyle.Link),
  );
  const strings = new ActionRowBuilder<StringSelectMenuBuilder>().addComponents(
    new StringSelectMenuBuilder()
      .setCustomId('fruit')
      .setMaxValues(2)
      .addOptions({ label: 'Apple', value: 'apple' }, { label: 'Pear', value: 'pear' }),
  );
  const users = new ActionRowBuilder<UserSelectMenuBuilder>().addComponents(
    new UserSelectMenuBuilder().setCustomId('who'),
  );
  return [buttons, strings, users];
}

function askModal() {
  const input = new TextInputBuilder()
    .setCustomId('reason')
    .setStyle(TextInputStyle.Paragraph)
    .setMinLength(3);
  return new ModalBuilder()
    .setCustomId('why')
    .setTitle('Why?')
    .addLabelComponents(new LabelBuilder().setLabel('Reason').setTextInputComponent(input));
}

async function component(interaction: MessageComponentInteraction): Promise<unknown> {
  if (interaction.customId === 'ask') return interaction.showModal(askModal());
  if (interaction.isStringSelectMenu()) {
    return interaction.update({
      content: `Picked ${interaction.values.join('+')}`,
      components: [],
    });
  }
  if (interaction.isUserSelectMenu()) {
    const names = interaction.users.map((user) => user.username).join('+');
    const nicks = interaction.members.size;
    await interaction.deferUpdate();
    return interaction.editReply(`Chose ${names} ${nicks}`);
  }
  return interaction.update({ content: `Clicked ${interaction.customId}` });
}

async function command(interaction: Interaction): Promise<unknown> {
  if (!interaction.isChatInputCommand()) return undefined;
  const { options } = interaction;
  switch (interaction.commandName) {
    case 'echo': {
      const times = options.getInteger('times') ?? 1;
      const to = options.getUser('to');
      const nick = to === null ? '' : ` to ${to.displayName} ${options.getMember('to') !== null}`;
      const words = `${options.getString('text', true)} `.repeat(times).trim();
      const sent = await interaction.reply({ content: words + nick, withResponse: true });
      return sent.resource?.message?.id;
    }
    case 'slow':
      await interaction.deferReply();
      await new Promise((resolve) => setTimeout(resolve, 20));
      return interaction.editReply('Done at last');
    case 'menu':
      return interaction.reply({ content: 'Choose', components: menuRows() });
    case 'secret':
      await interaction.reply({ content: 'psst', flags: MessageFlags.Ephemeral });
      await interaction.followUp({ content: 'aloud' });
      return interaction.deleteReply();
    case 'picture':
      return interaction.reply({
        embeds: [{ title: 'Card', image: { url: 'attachment://card.png' } }],
        files: [
          { name: 'card.png', attachment: PNG },
          { name: 'notes.txt', attachment: Buffer.from('hi') },
        ],
      });
    case 'panel':
      return interaction.reply({
        flags: MessageFlags.IsComponentsV2,
        components: [
          new ContainerBuilder()
            .setAccentColor(0x5865f2)
            .addTextDisplayComponents(new TextDisplayBuilder().setContent('# Panel')),
        ],
      });
    case 'asset':
      return interaction.reply(
        `${options.getSubcommandGroup()} ${options.getSubcommand()} ${options.getAttachment('card', true).name}`,
      );
    default:
      return undefined;
  }
}

async function handle(interaction: Interaction): Promise<unknown> {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused();
    return interaction.respond([{ name: `${typed}!`, value: `${typed}-value` }]);
  }
  if (interaction.isModalSubmit()) {
    const reason = interaction.fields.getTextInputValue('reason');
    if (interaction.isFromMessage()) return interaction.update({ content: reason, components: [] });
    return interaction.reply(reason);
  }
  if (interaction.isMessageComponent()) return component(interaction);
  return command(interaction);
}

let stage: Stage;
let bot: TestBot;

beforeAll(async () => {
  stage = await openStage({ firstAnswerMs: 400 });
  bot = await startBot(stage.standIn, COMMANDS, handle);
});
afterAll(async () => {
  await bot.stop();
  await stage.standIn.close();
});

describe('login', () => {
  test('a real client knows its guild, its channel and itself', () => {
    const guild = bot.client.guilds.cache.get(stage.standIn.guildId);
    expect(guild?.name).toBe('The Playground');
    expect(guild?.channels.cache.get(stage.standIn.channelId)?.name).toBe('general');
    expect(guild?.members.me?.user.id).toBe(bot.client.user.id);
    expect(bot.client.application.id).toBe(stage.standIn.applicationId);
  });

  test('members, users and messages can be fetched', async () => {
    const guild = await bot.client.guilds.fetch(stage.standIn.guildId);
    const member = await guild.members.fetch(ADA_ID);
    expect(member.displayName).toBe('Ada');
    expect((await bot.client.users.fetch(BEN_ID)).username).toBe('ben');
    const many = await guild.members.fetch({ user: [ADA_ID, BEN_ID] });
    expect(many.size).toBe(2);
  });
});

describe('commands', () => {
  test('options arrive as what they are', async () => {
    const exchange = stage.ada.command('echo', { options: { text: 'hi', times: 2, to: BEN_ID } });
    const message = await exchange.reply();
    expect(message.content).toBe('hi hi to Ben true');
    expect(message.interaction?.name).toBe('echo');
    expect(message.interaction_metadata?.user.id).toBe(ADA_ID);
  });

  test.each([
    ['an unknown command', 'nope', {}],
    ['a required option left out', 'echo', {}],
    ['an unknown option', 'echo', { text: 'a', zzz: 1 }],
    ['a fraction for an integer', 'echo', { text: 'a', times: 1.5 }],
    ['a number beyond the range', 'echo', { text: 'a', times: 4 }],
    ['a text that is too long', 'echo', { text: 'a'.repeat(21) }],
    ['a stranger as user', 'echo', { text: 'a', to: '1' }],
    ['a value outside the choices', 'echo', { text: 'a', tone: 'soft' }],
  ])('the client refuses %s', (_, name, options) => {
    expect(() => stage.ada.command(name, { options })).toThrow(ClientRefusal);
  });

  test('a group, a subcommand and a file arrive', async () => {
    const card = { filename: 'a.png', contentType: 'image/png', bytes: PNG };
    const input = { group: 'gift', subcommand: 'send', options: { card } };
    const message = await stage.ada.command('asset', input).reply();
    expect(message.content).toBe('gift send a.png');
    expect(message.interaction?.name).toBe('asset gift send');
  });

  test('a deferral shows thinking until the edit', async () => {
    const exchange = stage.ada.command('slow');
    expect(await exchange.firstResponse()).toEqual({ kind: 'deferred', ephemeral: false });
    expect((await exchange.reply()).content).toBe('Done at last');
    expect(exchange.edits.map(({ flags }) => flags)).toEqual([128, 0]);
    expect(exchange.message()?.edited_timestamp).toBeNull();
  });

  test('an unanswered command fails for the member', async () => {
    expect(await stage.ada.command('silent').firstResponse()).toEqual({ kind: 'did-not-respond' });
  });

  test('an autocompletion returns choices', async () => {
    const exchange = stage.ada.autocomplete('find', { focused: 'what', options: { what: 'ab' } });
    expect(await exchange.choices()).toEqual([{ name: 'ab!', value: 'ab-value' }]);
  });

  test('an ephemeral reply is its member’s alone, a public follow-up is everyone’s', async () => {
    const exchange = stage.ada.command('secret');
    const first = await exchange.firstResponse();
    const [followUp] = await exchange.followUpsReach(1);
    if (first.kind !== 'message') throw new Error(first.kind);
    expect(isEphemeral(first.message)).toBe(true);
    expect(stage.ben.messages().map(({ id }) => id)).not.toContain(first.message.id);
    expect(stage.ben.messages().map(({ id }) => id)).toContain(followUp?.id);
    await expect(
      new Promise<void>((resolve) => {
        const look = setInterval(() => {
          if (!exchange.deleted) return;
          clearInterval(look);
          resolve();
        }, 5);
      }),
    ).resolves.toBeUndefined();
  });

  test('a file that an embed shows is served and not listed twice', async () => {
    const message = await stage.ada.command('picture').reply();
    expect(message.attachments.map(({ filename }) => filename)).toEqual(['notes.txt']);
    const url = message.embeds[0]?.image?.url ?? '';
    const answer = await fetch(url);
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await answer.arrayBuffer()).equals(PNG)).toBe(true);
    expect(message.embeds[0]?.image?.width).toBe(1);
  });

  test('Components V2 come through', async () => {
    const message = await stage.ada.command('panel').reply();
    expect(textOf(message)).toBe('\n# Panel');
    expect(message.components[0]).toMatchObject({ type: 17, id: 1, accent_color: 0x5865f2 });
  });
});

describe('components', () => {
  test('a click updates the message', async () => {
    const menu = stage.ada.command('menu');
    const message = await menu.reply();
    const click = stage.ben.click(message, 'go');
    expect((await click.firstResponse()).kind).toBe('update');
    expect(click.message()?.content).toBe('Clicked go');
    expect(menu.message()?.edited_timestamp).not.toBeNull();
    expect(menu.edits).toHaveLength(2);
  });

  test('the client refuses disabled, unknown and link buttons', async () => {
    const message = await stage.ada.command('menu').reply();
    expect(() => stage.ada.click(message, 'off')).toThrow('disabled');
    expect(() => stage.ada.click(message, 'nope')).toThrow('no component');
    expect(() => stage.ada.click(message, 'fruit')).toThrow('no button');
  });

  test('a string select brings its values, and only those it offers', async () => {
    const message = await stage.ada.command('menu').reply();
    expect(() => stage.ada.select(message, 'fruit', ['plum'])).toThrow(ClientRefusal);
    expect(() => stage.ada.select(message, 'fruit', [])).toThrow(ClientRefusal);
    const reply = await stage.ada.select(message, 'fruit', ['apple', 'pear']).reply();
    expect(reply.content).toBe('Picked apple+pear');
    expect(() => stage.ada.click(message, 'go')).toThrow(ClientRefusal);
    expect((await stage.ada.clickStale(message, 'go').firstResponse()).kind).toBe('update');
  });

  test('a user select resolves users and members', async () => {
    const message = await stage.ada.command('menu').reply();
    const exchange = stage.ada.select(message, 'who', [BEN_ID]);
    expect((await exchange.firstResponse()).kind).toBe('deferred-update');
    expect((await exchange.reply()).content).toBe('Chose ben 1');
  });

  test('a modal opens, checks its fields and updates the message it came from', async () => {
    const message = await stage.ada.command('menu').reply();
    const modal = await stage.ada.click(message, 'ask').modal();
    expect(modal.title).toBe('Why?');
    expect(() => stage.ada.submitModal(modal, { reason: 'x' })).toThrow(ClientRefusal);
    expect(() => stage.ada.submitModal(modal, {})).toThrow(ClientRefusal);
    expect(() => stage.ben.submitModal(modal, { reason: 'because' })).toThrow(ClientRefusal);
    const done = await stage.ada.submitModal(modal, { reason: 'because' }).reply();
    expect(done.id).toBe(message.id);
    expect(done.content).toBe('because');
    expect(() => stage.ada.submitModal(modal, { reason: 'because' })).toThrow(ClientRefusal);
  });

  test('nothing of all this is what Discord would refuse', () => {
    expect(bot.errors).toEqual([]);
    expect(stage.standIn.violations()).toEqual([]);
  });
});
