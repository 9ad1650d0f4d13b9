// A small bot that uses everything the page must be able to draw.
import {
  ActionRowBuilder,
  ApplicationCommandOptionType,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  ContainerBuilder,
  EmbedBuilder,
  LabelBuilder,
  MessageFlags,
  ModalBuilder,
  SectionBuilder,
  SeparatorBuilder,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
  ThumbnailBuilder,
  MediaGalleryBuilder,
  UserSelectMenuBuilder,
} from 'discord.js';
import type {
  ApplicationCommandData,
  ChatInputCommandInteraction,
  Interaction,
  MessageComponentInteraction,
} from 'discord.js';
import { deflateSync } from 'node:zlib';

const { String: text, Integer, User, Subcommand } = ApplicationCommandOptionType;
const PRIZES = ['Moon Cat', 'Mountain Lake', 'Iron Tea Pot', 'Tiny Volcano'];

/** What the demo bot registers. */
export const DEMO_COMMANDS: ApplicationCommandData[] = [
  {
    name: 'roll',
    description: 'Roll the Guyacha',
    options: [{ type: Integer, name: 'times', description: 'How many rolls', minValue: 1 }],
  },
  { name: 'balance', description: 'Only you see what you own' },
  { name: 'slow', description: 'Takes its time' },
  { name: 'silent', description: 'Never answers' },
  { name: 'panel', description: 'A panel of Components V2' },
  {
    name: 'echo',
    description: 'Repeats a text',
    options: [{ type: text, name: 'text', description: 'What', required: true }],
  },
  {
    name: 'trade',
    description: 'Trades',
    options: [
      {
        type: Subcommand,
        name: 'offer',
        description: 'Offer an asset to a member',
        options: [
          { type: User, name: 'to', description: 'To whom', required: true },
          { type: text, name: 'asset', description: 'What', required: true, autocomplete: true },
          { type: text, name: 'note', description: 'A word with it' },
        ],
      },
      { type: Subcommand, name: 'list', description: 'List your trades' },
    ],
  },
];

/** A PNG of one colour fading into another. */
function picture(width: number, height: number, red: number): Buffer {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * (1 + width * 3) + 1 + x * 3;
      rows.set([red, Math.round((x / width) * 200), Math.round((y / height) * 255)], at);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([size, body, sum]);
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Handles whatever the demo bot gets. */
export async function demo(interaction: Interaction): Promise<unknown> {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused().toLowerCase();
    const found = PRIZES.filter((prize) => prize.toLowerCase().includes(typed));
    return interaction.respond(found.map((name) => ({ name, value: `asset:${name}` })));
  }
  if (interaction.isModalSubmit()) {
    const price = interaction.fields.getTextInputValue('price');
    return interaction.reply(`**${interaction.user.displayName}** asks for \`${price} gc\``);
  }
  if (interaction.isMessageComponent()) return component(interaction);
  return interaction.isChatInputCommand() ? command(interaction) : undefined;
}

async function component(interaction: MessageComponentInteraction): Promise<unknown> {
  if (interaction.isStringSelectMenu()) {
    return interaction.update({
      content: `Chose ${interaction.values.join(', ')}`,
      components: [],
    });
  }
  switch (interaction.customId) {
    case 'accept':
      return interaction.update({
        content: `✅ accepted by <@${interaction.user.id}>`,
        components: [],
      });
    case 'price': {
      const input = new TextInputBuilder()
        .setCustomId('price')
        .setStyle(TextInputStyle.Short)
        .setMinLength(2);
      const label = new LabelBuilder()
        .setLabel('Price in gc')
        .setDescription('What you want for it')
        .setTextInputComponent(input);
      return interaction.showModal(
        new ModalBuilder()
          .setCustomId('sell')
          .setTitle('Sell this asset')
          .addLabelComponents(label),
      );
    }
    case 'ignore':
      return undefined;
    default:
      return interaction.reply({ content: 'Not for you.', flags: MessageFlags.Ephemeral });
  }
}

function rollEmbed(times: number): EmbedBuilder {
  return new EmbedBuilder()
    .setColor(0xf1c40f)
    .setAuthor({ name: 'Guyacha' })
    .setTitle('★★★★★ Moon Cat')
    .setDescription(
      `You rolled **${times}** times.\nNext free roll <t:${Math.floor(Date.now() / 1000) + 7200}:R>.`,
    )
    .addFields(
      { name: 'Cost', value: `${60 * times} gc`, inline: true },
      { name: 'Balance', value: '1p 2g 30s', inline: true },
      { name: 'Pity', value: '`12` / 90', inline: true },
      { name: 'Asset', value: '[on the chain](https://example.com/asset)' },
    )
    .setImage('attachment://card.png')
    .setFooter({ text: 'Banner: First light' })
    .setTimestamp();
}

async function command(interaction: ChatInputCommandInteraction): Promise<unknown> {
  const { options } = interaction;
  switch (interaction.commandName) {
    case 'roll': {
      const buttons = new ActionRowBuilder<ButtonBuilder>().addComponents(
        new ButtonBuilder().setCustomId('accept').setLabel('Keep').setStyle(ButtonStyle.Success),
        new ButtonBuilder()
          .setCustomId('price')
          .setLabel('Sell')
          .setEmoji('💰')
          .setStyle(ButtonStyle.Primary),
        new ButtonBuilder()
          .setCustomId('other')
          .setLabel('Details')
          .setStyle(ButtonStyle.Secondary),
        new ButtonBuilder().setCustomId('ignore').setLabel('Burn').setStyle(ButtonStyle.Danger),
        new ButtonBuilder()
          .setCustomId('off')
          .setLabel('Gone')
          .setStyle(ButtonStyle.Secondary)
          .setDisabled(true),
      );
      const files = [new AttachmentBuilder(picture(320, 180, 90), { name: 'card.png' })];
      return interaction.reply({
        embeds: [rollEmbed(options.getInteger('times') ?? 1)],
        components: [buttons],
        files,
      });
    }
    case 'balance':
      return interaction.reply({
        content:
          'You own **1p 2g 30s** and `3` assets.\n> Spend them well\n- Moon Cat\n- Iron Tea Pot',
        flags: MessageFlags.Ephemeral,
      });
    case 'slow':
      await interaction.deferReply();
      await new Promise((resolve) => setTimeout(resolve, 700));
      await interaction.editReply('Here at last');
      return interaction.editReply('Here at last, and edited');
    case 'panel':
      return interaction.reply({
        flags: MessageFlags.IsComponentsV2,
        components: [panel()],
        files: [
          new AttachmentBuilder(picture(120, 120, 200), { name: 'thumb.png' }),
          new AttachmentBuilder(picture(300, 150, 20), { name: 'wide.png' }),
        ],
      });
    case 'echo':
      return interaction.reply({
        content: options.getString('text', true),
        embeds: [
          {
            title: options.getString('text', true),
            fields: [{ name: '123456789012345678', value: options.getString('text', true) }],
          },
        ],
      });
    case 'trade': {
      if (options.getSubcommand() === 'list') return interaction.reply('No trades.');
      const row = new ActionRowBuilder<ButtonBuilder>().addComponents(
        new ButtonBuilder().setCustomId('accept').setLabel('Accept').setStyle(ButtonStyle.Success),
      );
      const select = new ActionRowBuilder<StringSelectMenuBuilder>().addComponents(
        new StringSelectMenuBuilder()
          .setCustomId('pick')
          .setPlaceholder('Pick what you give')
          .setMaxValues(2)
          .addOptions(PRIZES.map((label) => ({ label, value: label, description: 'Rare' }))),
      );
      const users = new ActionRowBuilder<UserSelectMenuBuilder>().addComponents(
        new UserSelectMenuBuilder().setCustomId('who').setPlaceholder('Whom else?'),
      );
      const to = options.getUser('to', true);
      return interaction.reply({
        content: `<@${to.id}>, <@${interaction.user.id}> offers ${options.getString('asset', true)}`,
        components: [row, select, users],
        allowedMentions: { users: [to.id] },
      });
    }
    default:
      return undefined;
  }
}

function panel(): ContainerBuilder {
  return new ContainerBuilder()
    .setAccentColor(0x57f287)
    .addTextDisplayComponents(new TextDisplayBuilder().setContent('# Your collection\n-# 3 of 106'))
    .addSeparatorComponents(new SeparatorBuilder())
    .addSectionComponents(
      new SectionBuilder()
        .addTextDisplayComponents(
          new TextDisplayBuilder().setContent('**Moon Cat**\n★★★★★ · worth *5,000 gc*'),
        )
        .setThumbnailAccessory(new ThumbnailBuilder().setURL('attachment://thumb.png')),
      new SectionBuilder()
        .addTextDisplayComponents(new TextDisplayBuilder().setContent('**Iron Tea Pot**\n★★'))
        .setButtonAccessory(
          new ButtonBuilder().setCustomId('price').setLabel('Sell').setStyle(ButtonStyle.Primary),
        ),
    )
    .addMediaGalleryComponents(
      new MediaGalleryBuilder().addItems(
        { media: { url: 'attachment://wide.png' } },
        { media: { url: 'attachment://thumb.png' } },
      ),
    )
    .addActionRowComponents(
      new ActionRowBuilder<ButtonBuilder>().addComponents(
        new ButtonBuilder().setCustomId('next').setLabel('Next').setStyle(ButtonStyle.Secondary),
      ),
    );
}
