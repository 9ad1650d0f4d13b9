// Which branch and tag a transaction lives under, and which asset ids can be branches at all.
import { AppError } from '../shared/errors.ts';
import type { AssetId, OwnerId } from '../shared/ids.ts';

const BRANCH_PREFIX = 'nfgt-';
/** The branch on which validators say who they are; it is no asset's. */
export const RESERVED_BRANCH = 'well-known';
/** Names that are neither assets nor their ids. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([RESERVED_BRANCH, 'common', 'metadata']);

/** The longest asset id in bytes: the branch's name and git's `.lock` must fit in a file name of 255 bytes. */
export const MAX_ASSET_ID_BYTES = 240;
const MAX_OWNER_ID_BYTES = 512;

/** The branch of an asset's interaction chain, without `refs/heads/`. */
export function branchOf(assetId: AssetId): string {
  return `${BRANCH_PREFIX}${assetId}`;
}

/** The asset of a branch, or undefined for a branch that is not an interaction chain (the epoch, `well-known`). */
export function assetOfBranch(branch: string): AssetId | undefined {
  const assetId = branch.startsWith(BRANCH_PREFIX) ? branch.slice(BRANCH_PREFIX.length) : '';
  return assetId === '' ? undefined : (assetId as AssetId);
}

/**
 * Checks an asset id that a caller sent: the branch it makes must be a legal git ref (git check-ref-format) in one
 * path component, so that no branch is ever in another's way.
 * @throws AppError ASSET_ID_INVALID
 */
export function parseAssetId(text: unknown): AssetId {
  const reason = faultOfAssetId(text);
  if (reason !== undefined) {
    throw new AppError('ASSET_ID_INVALID', {
      assetId: JSON.stringify(text ?? null).slice(0, 80),
      reason,
    });
  }
  return text as AssetId;
}

function faultOfAssetId(text: unknown): string | undefined {
  if (typeof text !== 'string' || text === '') return 'it is not a non-empty text';
  if (Buffer.byteLength(text) > MAX_ASSET_ID_BYTES) {
    return `it is longer than ${MAX_ASSET_ID_BYTES} bytes`;
  }
  if (!text.isWellFormed()) return 'it is not well-formed Unicode';
  if (RESERVED_NAMES.has(text)) return 'it is reserved';
  if (text.includes('/')) return 'it contains a slash';
  // eslint-disable-next-line no-control-regex -- control characters are exactly what git refuses
  if (/[\u0000-\u0020\u007f~^:?*[\\]/.test(text)) return 'it contains a character that git refuses';
  if (text.includes('..') || text.includes('@{')) return 'it contains “..” or “@{”';
  if (text.endsWith('.') || text.endsWith('.lock')) return 'it ends with “.” or “.lock”';
  return undefined;
}

/**
 * Checks an owner id that a caller sent.
 * @throws AppError OWNER_ID_INVALID
 */
export function parseOwnerId(text: unknown): OwnerId {
  const fault = faultOfOwnerId(text);
  if (fault !== undefined) throw new AppError('OWNER_ID_INVALID', { reason: fault });
  return text as OwnerId;
}

function faultOfOwnerId(text: unknown): string | undefined {
  if (typeof text !== 'string' || text === '') return 'it is not a non-empty text';
  if (!text.isWellFormed()) return 'it is not well-formed Unicode';
  if (Buffer.byteLength(text) > MAX_OWNER_ID_BYTES) {
    return `it is longer than ${MAX_OWNER_ID_BYTES} bytes`;
  }
  return undefined;
}
