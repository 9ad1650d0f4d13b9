// How members stand on the chain: a keyed pseudonym by default, or in the open as the first event had them.
import { createHmac } from 'node:crypto';
import type { JsonObject } from '../chain/record.ts';
import type { OwnerId } from '../shared/ids.ts';
import type { Person } from './app.ts';
import type { Holder } from './ports/settlement-store.ts';

export type ChainPrivacy = 'pseudonymous' | 'public';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** What the chain is told about owners. */
export interface OwnerIds {
  /** The same holder always has the same owner id. */
  ownerIdOf(holder: Holder): OwnerId;
  /** What the record's metadata says of the new owner: nothing, unless names are public. */
  describe(person: Person | undefined): JsonObject;
}

/**
 * @param key secret of 32 bytes: without it nobody can tell which member a pseudonym stands for, nor try out ids.
 */
export function makeOwnerIds(privacy: ChainPrivacy, key: Buffer): OwnerIds {
  if (privacy === 'public') {
    return {
      ownerIdOf: (holder) => base64(holder) as OwnerId,
      describe: (person) =>
        person === undefined
          ? {}
          : { user_name: base64(person.name), user_pic_url: base64(person.pictureUrl ?? '') },
    };
  }
  return {
    ownerIdOf: (holder) =>
      createHmac('sha256', key).update(holder).digest('base64url').slice(0, 32) as OwnerId,
    describe: () => ({}),
  };
}
