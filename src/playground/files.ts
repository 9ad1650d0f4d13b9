// The files of messages: stored, named as Discord names them, and found again by `attachment://`.
import type { MessageBody } from './message-form.ts';
import { LIMIT } from './limits.ts';
import type { FormErrors } from './refusals.ts';
import { refuse } from './refusals.ts';
import type { WireAttachment, WireComponent, WireEmbed, WireMedia } from './wire.ts';
import type { World } from './world.ts';
import { walkComponents } from './component-form.ts';

/** A file as it came in with a request; `key` is the n of `files[n]`. */
export interface UploadedFile {
  key: string;
  filename: string;
  contentType: string;
  bytes: Uint8Array;
}

/** Stores one file and returns it as an attachment. */
export function storeFile(
  world: World,
  channelId: string,
  file: Omit<UploadedFile, 'key'>,
  extra: { description?: string | undefined; title?: string | undefined; ephemeral?: boolean } = {},
): WireAttachment {
  if (file.bytes.byteLength > LIMIT.fileBytes) throw refuse.tooLarge();
  const id = world.ids.next();
  const filename = file.filename.replace(/[^\w.-]+/g, '_');
  const path = `/attachments/${channelId}/${id}/${filename}`;
  const url = `${world.origin}${path}`;
  const attachment: WireAttachment = {
    id,
    filename,
    size: file.bytes.byteLength,
    url,
    proxy_url: url,
    content_type: file.contentType,
    ...(extra.description === undefined ? {} : { description: extra.description }),
    ...(extra.title === undefined ? {} : { title: extra.title }),
    ...(extra.ephemeral === true ? { ephemeral: true } : {}),
    ...pngSize(file.bytes),
  };
  world.putFile(path, { attachment, bytes: file.bytes });
  return attachment;
}

const PNG_SIGNATURE = '89504e470d0a1a0a';

function pngSize(bytes: Uint8Array): { width: number; height: number } | Record<string, never> {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 24));
  if (head.length < 24 || head.toString('hex', 0, 8) !== PNG_SIGNATURE) return {};
  return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
}

/** The attachments that a message has after a request: kept ones and new ones, in that order. */
export function attachmentsAfter(
  world: World,
  channelId: string,
  body: MessageBody,
  files: readonly UploadedFile[],
  before: readonly WireAttachment[],
  ephemeral: boolean,
): WireAttachment[] {
  const described = new Map((body.attachments ?? []).map((one) => [one.id, one]));
  const kept =
    body.attachments === undefined ? before : before.filter(({ id }) => described.has(id));
  const added = files.map((file) => {
    const about = described.get(file.key);
    const filename = about?.filename ?? file.filename;
    const extra = { description: about?.description, title: about?.title, ephemeral };
    return storeFile(world, channelId, { ...file, filename }, extra);
  });
  return [...kept, ...added];
}

/** Says where an `attachment://name` is; undefined when the message has no such file. */
type Finder = (name: string) => WireAttachment | undefined;

/** A way to find attachments by name. */
export function finderIn(attachments: readonly WireAttachment[]): Finder {
  return (name) => attachments.findLast(({ filename }) => filename === name);
}

const SCHEME = 'attachment://';

function resolveMedia(medium: WireMedia, find: Finder): WireMedia | undefined {
  if (!medium.url.startsWith(SCHEME)) return { ...medium, proxy_url: medium.url };
  const file = find(medium.url.slice(SCHEME.length));
  if (file === undefined) return undefined;
  return {
    url: file.url,
    proxy_url: file.url,
    ...(file.width === undefined ? {} : { width: file.width, height: file.height }),
    ...(file.content_type === undefined ? {} : { content_type: file.content_type }),
  };
}

/** The embeds with their pictures' addresses filled in; a picture that is not there is left out. */
export function resolveEmbeds(embeds: readonly WireEmbed[], find: Finder): WireEmbed[] {
  return embeds.map((embed) => {
    const { image, thumbnail, footer, author, ...rest } = embed;
    const shown: WireEmbed = { type: 'rich', ...rest };
    if (rest.fields !== undefined) {
      shown.fields = rest.fields.map((field) => ({ ...field, inline: field.inline ?? false }));
    }
    const resolvedImage = image === undefined ? undefined : resolveMedia(image, find);
    if (resolvedImage !== undefined) shown.image = resolvedImage;
    const resolvedThumbnail = thumbnail === undefined ? undefined : resolveMedia(thumbnail, find);
    if (resolvedThumbnail !== undefined) shown.thumbnail = resolvedThumbnail;
    if (footer !== undefined) shown.footer = resolveIcon(footer, find);
    if (author !== undefined) shown.author = resolveIcon(author, find);
    return shown;
  });
}

function resolveIcon<Part extends { icon_url?: string | undefined }>(
  part: Part,
  find: Finder,
): Part {
  if (part.icon_url === undefined) return part;
  return { ...part, icon_url: resolveMedia({ url: part.icon_url }, find)?.url };
}

/** Fills in the media of components; a file that is not there is a fault, as at Discord. */
export function resolveComponents(
  world: World,
  components: WireComponent[],
  find: Finder,
  errors: FormErrors,
): WireComponent[] {
  for (const { component, path } of walkComponents(components)) {
    const put = (medium: WireMedia, where: PropertyKey[]): WireMedia => {
      const resolved = resolveMedia(medium, find);
      if (resolved !== undefined) return { id: world.ids.next(), ...resolved };
      const code = 'UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND';
      const message = `The referenced attachment was not found: ${medium.url}`;
      errors.add([...path, ...where, 'url'], code, message);
      return medium;
    };
    if (component.media !== undefined) component.media = put(component.media, ['media']);
    if (component.file !== undefined) {
      const name = component.file.url.slice(SCHEME.length);
      component.file = put(component.file, ['file']);
      const stored = find(name);
      if (stored !== undefined)
        Object.assign(component, { name: stored.filename, size: stored.size });
    }
    component.items = component.items?.map((item, index) => ({
      ...item,
      media: put(item.media, ['items', index, 'media']),
    }));
    if (component.items === undefined) delete component.items;
  }
  return components;
}
