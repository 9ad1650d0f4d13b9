// Puts answers together from records as they stand on the chain: they are never parsed and printed anew.

/** `{"<name>":<record or null>}` */
export function oneRecord(name: string, record: string | undefined): string {
  return `{"${name}":${record ?? 'null'}}`;
}

/** `{"<name>":[<records>]}` */
export function listOfRecords(name: string, records: readonly string[]): string {
  return `{"${name}":[${records.join(',')}]}`;
}
