// Measures how long reads have to wait while one create a second goes to the chain.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AssetId } from '../../src/shared/ids.ts';
import { startBenchApi } from './bench-api.ts';
import { openBenchValidator } from './bench-node.ts';
import type { ProbeOrder, ProbeReport } from './probe.ts';
import type { Bench, Figures } from './row.ts';

const PROBE = new URL('./probe.js', import.meta.url);
const MAX_ASSETS_READ = 1_000;

/** The reader is another process, so that its own pauses stand in nobody's way. */
export async function measureReadsBeside(bench: Bench): Promise<Figures> {
  const validator = await openBenchValidator(bench);
  const http = await startBenchApi(validator);
  const assetIds: AssetId[] = validator.node.chain.searchAssets('', MAX_ASSETS_READ);
  const probe = fork(PROBE);
  const order: ProbeOrder = { url: http.url, assetIds, seconds: bench.quick ? 3 : 20 };
  probe.send(order);
  const [report] = (await once(probe, 'message')) as [ProbeReport];
  await once(probe, 'exit');
  await http.close();
  await validator.close();
  return { ...report };
}
