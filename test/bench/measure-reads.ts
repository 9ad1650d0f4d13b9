// Measures reads of the HTTP API on a chain that stands still, from 16 connections that stay open.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { IndexedTransaction } from '../../src/chain/chain-index.ts';
import type { ChainReader } from '../../src/chain/node.ts';
import { startBenchApi } from './bench-api.ts';
import { openBenchValidator } from './bench-node.ts';
import type { LoadOrder, LoadReport } from './load.ts';
import type { Bench, Figures } from './row.ts';

const LOAD = new URL('./load.js', import.meta.url);
const CONNECTIONS = 16;
const MAX_ASSETS_READ = 2_000;
const DEPTH = 10;

type Tip = Pick<IndexedTransaction, 'assetId' | 'ownerId' | 'transactionId'>;

const PATHS = {
  'spot-asset': ({ assetId }: Tip) => `/api/query/spot/asset/${assetId}`,
  detail: ({ transactionId }: Tip) => `/api/transaction/detail/${transactionId}`,
  'history-asset': ({ assetId }: Tip) => `/api/query/history/asset/${assetId}/${DEPTH}`,
  'spot-owner': ({ ownerId }: Tip) => `/api/query/spot/owner/${encodeURIComponent(ownerId)}`,
  'history-owner': ({ ownerId }: Tip) =>
    `/api/query/history/owner/${encodeURIComponent(ownerId)}/${DEPTH}`,
} as const;

export type ReadKind = keyof typeof PATHS;

/** The clients are another process: on two cores, they and the node have about one each. */
export async function measureReads(bench: Bench, kind: ReadKind): Promise<Figures> {
  const validator = await openBenchValidator(bench);
  const http = await startBenchApi(validator);
  const load = fork(LOAD);
  const order: LoadOrder = {
    port: Number(new URL(http.url).port),
    paths: listTips(validator.node.chain).map(PATHS[kind]),
    connections: CONNECTIONS,
    seconds: bench.quick ? 1 : 5,
  };
  load.send(order);
  const [report] = (await once(load, 'message')) as [LoadReport];
  await once(load, 'exit');
  await http.close();
  await validator.close();
  return { ...report };
}

/** Their owners come up as often as they hold something, as they do among real requests. */
function listTips(chain: ChainReader): Tip[] {
  return chain
    .searchAssets('', MAX_ASSETS_READ)
    .map((assetId) => chain.findTip(assetId))
    .filter((tip) => tip !== undefined);
}
