// Makes good in the index what an operator has accepted in the state: two files, and a kill may come between them.
import type { AssetId } from '../shared/ids.ts';
import type { ChainIndex } from './chain-index.ts';
import type { RewritingStore } from './rewriting-store.ts';

interface AcceptedState {
  read<T>(work: (stores: { readonly rewritings: RewritingStore }) => Promise<T>): Promise<T>;
}

/**
 * Forgets what the index knows of every asset whose rewriting was accepted since it last followed: the next sync reads
 * them anew. To be called before the first sync of every index that is opened beside a state. Repeating it is harmless.
 * @returns the assets that were forgotten.
 */
export async function followAccepted(
  index: Pick<ChainIndex, 'findAccepted' | 'setAccepted' | 'forgetAsset'>,
  state: AcceptedState,
): Promise<readonly AssetId[]> {
  const followed = index.findAccepted();
  const { last, assetIds } = await state.read(async ({ rewritings }) => {
    const newest = await rewritings.lastAccepted();
    // In a state from a backup the same numbers stand for other decisions: then none of them is known to be followed.
    const since = followed > newest ? 0 : followed;
    return { last: newest, assetIds: await rewritings.listAcceptedAssets(since) };
  });
  for (const assetId of assetIds) index.forgetAsset(assetId);
  index.setAccepted(last);
  return assetIds;
}
