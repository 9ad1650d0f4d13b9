// What a bot may put into a message, and the rules that span its parts.
import * as z from 'zod';
import {
  checkTogether,
  legacyComponents,
  linkUrl,
  media,
  v2Components,
  walkComponents,
} from './component-form.ts';
import { lengthOf, list, optional, readForm, text } from './form.ts';
import { LIMIT } from './limits.ts';
import type { FormErrors } from './refusals.ts';
import { COMPONENT, FLAG } from './wire.ts';
import type { WireComponent, WireEmbed } from './wire.ts';

const snowflake = z.coerce.string().regex(/^\d+$/);
const int = z.int();

const embed = z
  .object({
    title: optional(text(LIMIT.embedTitle)),
    description: optional(text(LIMIT.embedDescription)),
    url: optional(linkUrl),
    timestamp: optional(z.string()),
    color: optional(int.min(0).max(0xffffff)),
    footer: optional(
      z.object({ text: text(LIMIT.embedFooter, 1), icon_url: optional(z.string()) }),
    ),
    image: optional(media),
    thumbnail: optional(media),
    author: optional(
      z.object({
        name: text(LIMIT.embedAuthor, 1),
        url: optional(linkUrl),
        icon_url: optional(z.string()),
      }),
    ),
    fields: optional(
      list(
        z.object({
          name: text(LIMIT.embedFieldName, 1),
          value: text(LIMIT.embedFieldValue, 1),
          inline: optional(z.boolean()),
        }),
        LIMIT.embedFields,
      ),
    ),
  })
  .superRefine((value, context) => {
    const { title, description, fields, footer, image, thumbnail, author } = value;
    const shown = [title, description, footer, image, thumbnail, author, fields?.[0]];
    if (shown.every((part) => part === undefined || part === '')) {
      const params = { discord: 'BASE_TYPE_REQUIRED' };
      const message = 'This field is required';
      context.addIssue({ code: 'custom', message, path: ['description'], params });
    }
  });

const allowedMentions = z.object({
  parse: optional(z.array(z.enum(['users', 'roles', 'everyone']))),
  users: optional(list(snowflake, 100)),
  roles: optional(list(snowflake, 100)),
  replied_user: optional(z.boolean()),
});

/** Who may be pinged. */
export type AllowedMentions = z.output<typeof allowedMentions>;

const attachment = z.object({
  id: z.coerce.string(),
  filename: optional(z.string()),
  description: optional(text(LIMIT.mediaDescription)),
  title: optional(z.string()),
});

const base = z.object({
  content: z.nullish(text(LIMIT.content)),
  embeds: z.nullish(list(embed, LIMIT.embeds)),
  flags: optional(int.min(0)),
  tts: optional(z.boolean()),
  attachments: z.nullish(list(attachment, LIMIT.files)),
  allowed_mentions: optional(allowedMentions),
  message_reference: optional(
    z.object({ message_id: optional(snowflake), fail_if_not_exists: optional(z.boolean()) }),
  ),
  poll: optional(z.unknown()),
  nonce: optional(z.union([z.string().max(25), int])),
});

/** The body of a request that makes or changes a message, read. Undefined: not mentioned; null: cleared. */
export interface MessageBody {
  content: string | null | undefined;
  embeds: WireEmbed[] | null | undefined;
  components: WireComponent[] | undefined;
  flags: number;
  attachments: z.output<typeof attachment>[] | null | undefined;
  allowedMentions: AllowedMentions | undefined;
  replyTo: string | undefined;
}

/** Reads the body of a message; what is wrong is told to `errors`. `wasV2`: the message edited has the flag. */
export function readMessage(body: unknown, errors: FormErrors, wasV2 = false): MessageBody {
  const form = readForm(base, body, errors);
  const raw = Object(body) as { flags?: unknown; components?: unknown };
  const flags = typeof raw.flags === 'number' ? raw.flags : 0;
  const v2 = wasV2 || (flags & FLAG.componentsV2) !== 0;
  const schema: z.ZodType<WireComponent[]> = v2 ? v2Components : legacyComponents;
  const given = raw.components ?? undefined;
  const components =
    given === undefined ? undefined : readForm(schema, given, errors, ['components']);
  if (components !== undefined) {
    checkTogether(components, errors);
    if (v2) checkV2Totals(components, errors);
  }
  if (v2 && form !== undefined) checkNoLegacyParts(form, errors);
  checkEmbedTotal(form?.embeds ?? [], errors);
  return {
    content: form?.content,
    embeds: form?.embeds,
    components,
    flags: form?.flags ?? 0,
    attachments: form?.attachments,
    allowedMentions: form?.allowed_mentions,
    replyTo: form?.message_reference?.message_id,
  };
}

function checkNoLegacyParts(form: z.output<typeof base>, errors: FormErrors): void {
  const code = 'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2';
  const used: string[] = [];
  if ((form.content ?? '') !== '') used.push('content');
  if ((form.embeds ?? []).length > 0) used.push('embeds');
  if (form.poll !== undefined) used.push('poll');
  for (const field of used) {
    const message = `The '${field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2`;
    errors.add([field], code, message);
  }
}

function checkV2Totals(components: readonly WireComponent[], errors: FormErrors): void {
  const all = [...walkComponents(components)].map(({ component }) => component);
  if (all.length > LIMIT.v2Components) {
    const message = `A message can have at most ${LIMIT.v2Components} components in all`;
    errors.add(['components'], 'COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED', message);
  }
  const texts = all.filter(({ type }) => type === COMPONENT.text);
  const length = texts.reduce((sum, { content }) => sum + lengthOf(content ?? ''), 0);
  if (length > LIMIT.v2Text) {
    const message = `The text of all components can be at most ${LIMIT.v2Text} characters long`;
    errors.add(['components'], 'COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED', message);
  }
}

function checkEmbedTotal(embeds: readonly WireEmbed[], errors: FormErrors): void {
  const sizes = embeds.map((one) => {
    const fields = (one.fields ?? []).flatMap(({ name, value }) => [name, value]);
    const parts = [one.title, one.description, one.footer?.text, one.author?.name, ...fields];
    return parts.reduce<number>((sum, part) => sum + lengthOf(part ?? ''), 0);
  });
  if (sizes.reduce((sum, size) => sum + size, 0) > LIMIT.embedTotal) {
    const message = `Embed size exceeds maximum size of ${LIMIT.embedTotal}`;
    errors.add(['embeds'], 'MAX_EMBED_SIZE_EXCEEDED', message);
  }
}
