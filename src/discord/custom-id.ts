// The words inside a component's custom id, `v1:kind:id:version:action`, so that a click can be understood after a restart.

/** What a button, a select or a modal carries; everything else is read from the rows. */
export interface CustomId {
  /** Which handler is meant, such as `trade`. */
  readonly kind: string;
  /** What it acts on, such as a trade's code. */
  readonly id: string;
  /** Which state of it the member saw: an offer's version, a page. */
  readonly version: number;
  readonly action: string;
}

/** Discord's limit. */
export const MAX_CUSTOM_ID_LENGTH = 100;

// The parts' limits add up to 96 characters, so an encoded id always fits.
const WORD = /^[a-z][a-z-]{0,15}$/;
const ID = /^[A-Za-z0-9._-]{1,48}$/;
const VERSION = /^(?:0|[1-9][0-9]{0,9})$/;
const FORMAT = 'v1';

/** Encodes; a part that the format does not allow is a fault of the caller. */
export function encodeCustomId({ kind, id, version, action }: CustomId): string {
  const text = [FORMAT, kind, id, String(version), action].join(':');
  if (parseCustomId(text) === undefined) throw new Error(`Not a custom id: ${text}`);
  return text;
}

/** Reads a custom id strictly; undefined for anything that {@link encodeCustomId} would not write. */
export function parseCustomId(text: string): CustomId | undefined {
  const parts = text.split(':');
  if (parts.length !== 5) return undefined;
  const [format, kind = '', id = '', version = '', action = ''] = parts;
  const isOurs =
    format === FORMAT &&
    WORD.test(kind) &&
    ID.test(id) &&
    VERSION.test(version) &&
    WORD.test(action);
  return isOurs ? { kind, id, version: Number(version), action } : undefined;
}
