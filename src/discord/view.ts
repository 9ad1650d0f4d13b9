// What one message shows, before it becomes the body of a request.
import type {
  ActionRowBuilder,
  EmbedBuilder,
  MessageActionRowComponentBuilder,
  RawFile,
  RESTPatchAPIWebhookWithTokenMessageJSONBody,
} from 'discord.js';

export type Row = ActionRowBuilder<MessageActionRowComponentBuilder>;

/** A message's whole content: what is left out is empty, also in an edit. */
export interface View {
  readonly content?: string;
  readonly embeds?: readonly EmbedBuilder[];
  readonly rows?: readonly Row[];
  readonly pictures?: readonly { readonly name: string; readonly png: Buffer }[];
}

export interface MessageBody {
  readonly body: RESTPatchAPIWebhookWithTokenMessageJSONBody;
  readonly files: RawFile[];
}

/** The request body of a view; an edit with it replaces everything that the message showed, pictures too. */
export function messageBody(view: View): MessageBody {
  const pictures = view.pictures ?? [];
  return {
    body: {
      content: view.content ?? '',
      embeds: (view.embeds ?? []).map((embed) => embed.toJSON()),
      components: (view.rows ?? []).map((row) => row.toJSON()),
      attachments: pictures.map(({ name }, index) => ({ id: String(index), filename: name })),
      // Names and item texts come from members: nothing that the bot writes may ping.
      allowed_mentions: { parse: [] },
    },
    files: pictures.map(({ name, png }) => ({ name, data: png, contentType: 'image/png' })),
  };
}
