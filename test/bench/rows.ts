// The rows of the benchmark: what each measures, on which chain, and what it should reach.
import type { ReadKind } from './measure-reads.ts';
import type { Bench, Figures, Row } from './row.ts';

/** Modules are loaded by the row that needs them, so that no row pays for another's in time or memory. */
const creates =
  (clients: number, transactions: number) =>
  async (bench: Bench): Promise<Figures> =>
    (await import('./measure-creates.ts')).measureCreates(bench, clients, transactions);
const singleCreate = async (bench: Bench): Promise<Figures> =>
  (await import('./measure-creates.ts')).measureSingleCreate(bench);
const readsBeside = async (bench: Bench): Promise<Figures> =>
  (await import('./measure-reads-beside.ts')).measureReadsBeside(bench);
const reads =
  (kind: ReadKind) =>
  async (bench: Bench): Promise<Figures> =>
    (await import('./measure-reads.ts')).measureReads(bench, kind);
const introspection = async (bench: Bench): Promise<Figures> =>
  (await import('./measure-reads.ts')).measureIntrospection(bench);
const start = async (bench: Bench): Promise<Figures> =>
  (await import('./measure-start.ts')).measureStart(bench);
const idleSync = async (bench: Bench): Promise<Figures> =>
  (await import('./measure-sync.ts')).measureIdleSync(bench);
const batches = async (bench: Bench): Promise<Figures> =>
  (await import('./measure-batches.ts')).measureBatches(bench);
const spread = async (bench: Bench): Promise<Figures> =>
  (await import('./measure-batches.ts')).measureSpread(bench);

const createRows: readonly Row[] = [
  { name: 'empty-1', chain: 'empty', aim: '', measure: creates(1, 500) },
  { name: 'empty-8', chain: 'empty', aim: '', measure: creates(8, 500) },
  { name: 'empty-64', chain: 'empty', aim: 'perSecond 600', measure: creates(64, 5_000) },
  { name: 'event-1', chain: 'event', aim: '', measure: creates(1, 500) },
  { name: 'event-8', chain: 'event', aim: 'p50Ms 600, p99Ms 1500', measure: creates(8, 500) },
  {
    name: 'event-64',
    chain: 'event',
    aim: 'perSecond 400, peakMb 200',
    measure: creates(64, 5_000),
  },
  { name: 'git-push-1', chain: 'event-remote', aim: '', measure: creates(1, 50) },
  { name: 'git-push-8', chain: 'event-remote', aim: '', measure: creates(8, 200) },
  { name: 'git-push-64', chain: 'event-remote', aim: '', measure: creates(64, 1_000) },
  { name: 'single-empty', chain: 'empty', aim: 'medianMs 100', measure: singleCreate },
  { name: 'single-event', chain: 'event', aim: 'medianMs 400', measure: singleCreate },
  { name: 'single-git-push', chain: 'event-remote', aim: '', measure: singleCreate },
];

const nodeRows: readonly Row[] = [
  { name: 'read-health', chain: 'event', aim: '', measure: reads('health') },
  { name: 'read-spot-asset', chain: 'event', aim: 'perSecond 12000', measure: reads('spot-asset') },
  { name: 'read-detail', chain: 'event', aim: 'perSecond 12000', measure: reads('detail') },
  {
    name: 'read-history-asset',
    chain: 'event',
    aim: 'perSecond 12000',
    measure: reads('history-asset'),
  },
  { name: 'read-spot-owner', chain: 'event', aim: 'perSecond 8000', measure: reads('spot-owner') },
  {
    name: 'read-history-owner',
    chain: 'event',
    aim: 'perSecond 8000',
    measure: reads('history-owner'),
  },
  {
    name: 'read-introspection',
    chain: 'event',
    aim: 'perSecond 200, spotP99Ms 20',
    measure: introspection,
  },
  { name: 'reads-beside', chain: 'event', aim: 'worstMs 50', measure: readsBeside },
  {
    name: 'reads-beside-git-push',
    chain: 'event-remote',
    aim: 'worstMs 50',
    measure: readsBeside,
  },
  { name: 'cold-start', chain: 'event-cold', aim: 'readyMs 2000, peakMb 150', measure: start },
  { name: 'warm-start', chain: 'event', aim: 'readyMs 500', measure: start },
  { name: 'warm-start-remote', chain: 'event-remote', aim: 'readyMs 500', measure: start },
  { name: 'idle-sync', chain: 'event', aim: 'wallMs 100, ownCpuMs 30', measure: idleSync },
  {
    name: 'idle-sync-remote',
    chain: 'event-remote',
    aim: 'wallMs 100, ownCpuMs 30',
    measure: idleSync,
  },
];

const tenfoldRows: readonly Row[] = [
  { name: 'tenfold-batch', chain: 'tenfold', aim: '', measure: batches },
  { name: 'tenfold-batch-git-push', chain: 'tenfold-remote', aim: '', measure: batches },
  { name: 'tenfold-idle-sync', chain: 'tenfold', aim: '', measure: idleSync },
  { name: 'tenfold-idle-sync-remote', chain: 'tenfold-remote', aim: '', measure: idleSync },
  { name: 'tenfold-warm-start', chain: 'tenfold', aim: '', measure: start },
  { name: 'tenfold-cold-start', chain: 'tenfold-cold', aim: '', measure: start },
  { name: 'tenfold-spread', chain: 'tenfold-cold', aim: '', measure: spread },
];

/** Every row, in the order of the table. */
export const ROWS: readonly Row[] = [...createRows, ...nodeRows, ...tenfoldRows];
