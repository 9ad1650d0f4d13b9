// Asset ids in options and selects: Discord carries values of 100 characters, the chain has ids of 150.
import type { AssetChoice } from '../app/app.ts';
import { clip, LIMITS, oneLine } from './rendering/text.ts';

/** Marks the tail of an id that is too long to be carried whole; no asset id begins with it. */
const TAIL_MARK = '…';

interface Choice {
  readonly name: string;
  readonly value: string;
}

/** The choices as an autocompletion or a select shows them: at most 25, labels and values within the limits. */
export function assetChoices(choices: readonly AssetChoice[]): readonly Choice[] {
  return choices.slice(0, LIMITS.selectOptions).map(({ assetId, label }) => ({
    name: clip(oneLine(label) || assetId, LIMITS.choiceText),
    value: carriedId(assetId),
  }));
}

/**
 * The asset id that an option or a select stands for. An id that was typed in full is taken as it is; the app checks it.
 * @param find the search that offered the choices.
 */
export async function resolveAssetId(
  value: string,
  find: (text: string) => Promise<readonly AssetChoice[]>,
): Promise<string> {
  if (!value.startsWith(TAIL_MARK)) return value.trim();
  const tail = value.slice(TAIL_MARK.length);
  const found = await find(tail);
  // Not found any more: the app refuses the tail with the words for an unknown asset.
  return found.find((choice) => choice.assetId.endsWith(tail))?.assetId ?? tail;
}

/** The tail, not the head: ids that are encoded addresses begin alike and differ at their end. */
function carriedId(assetId: string): string {
  if (assetId.length <= LIMITS.choiceText) return assetId;
  return TAIL_MARK + assetId.slice(-(LIMITS.choiceText - TAIL_MARK.length));
}
