// What the address bar says is looked up: `#asset=…`, `#owner=…` or `#transaction=…`, percent-encoded once.

export const LOOKUP_KINDS = ['asset', 'owner', 'transaction'] as const;
type LookupKind = (typeof LOOKUP_KINDS)[number];

/** What somebody wants to see. */
export interface Lookup {
  readonly kind: LookupKind;
  readonly id: string;
}

/** The address of a lookup within this page. */
export function addressOf({ kind, id }: Lookup): string {
  return `#${kind}=${encodeURIComponent(id.toWellFormed())}`;
}

/** Reads an address: a lookup, nothing for the bare page, or `unreadable`. */
export function readAddress(hash: string): Lookup | undefined | 'unreadable' {
  if (hash === '' || hash === '#') return undefined;
  const [, name = '', encoded = ''] = /^#([a-z]+)=(.+)$/s.exec(hash) ?? [];
  const kind = LOOKUP_KINDS.find((one) => one === name);
  if (kind === undefined) return 'unreadable';
  try {
    return { kind, id: decodeURIComponent(encoded) };
  } catch {
    // A stray percent sign.
    return 'unreadable';
  }
}
