// The metrics that grow with what the parts tell of their work.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { onMeasured, type Measurements } from '../shared/measurements.ts';

/** Up to the 3 s that Discord waits for a first answer. */
const ANSWER_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 5];
/** Work that may wait for the chain: a beacon that is away for minutes still shows. */
const WORK_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];
const GIT_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const REQUEST_BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];
const COMMIT_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const SIZE_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

type Listen = <Name extends keyof Measurements>(
  name: Name,
  listener: (facts: Measurements[Name]) => void,
) => void;

/** Counts into the registry from now on. @returns stops counting. */
export function countMeasurements(registry: Registry): () => void {
  const stops: (() => void)[] = [];
  const listen: Listen = (name, listener) => {
    stops.push(onMeasured(name, listener));
  };
  countChain(registry, listen);
  countApp(registry, listen);
  countEdges(registry, listen);
  return () => {
    for (const stop of stops) stop();
  };
}

function countChain(registry: Registry, listen: Listen): void {
  const registers = [registry];
  const pushSeconds = new Histogram({
    name: 'aibot_node_push_duration_seconds',
    help: 'Pushes to the beacon by outcome: accepted, refused, unknown (the answer was lost), failed (no answer)',
    labelNames: ['outcome'],
    buckets: GIT_BUCKETS,
    registers,
  });
  const pushSize = new Histogram({
    name: 'aibot_node_push_transactions',
    help: 'Transactions of one push',
    buckets: SIZE_BUCKETS,
    registers,
  });
  listen('push', ({ outcome, seconds, transactions }) => {
    pushSeconds.observe({ outcome }, seconds);
    pushSize.observe(transactions);
  });
  const syncSeconds = new Histogram({
    name: 'aibot_node_sync_duration_seconds',
    help: 'Looks at the beacon for news by result: done, failed',
    labelNames: ['result'],
    buckets: GIT_BUCKETS,
    registers,
  });
  listen('sync', ({ result, seconds }) => syncSeconds.observe({ result }, seconds));
}

function countApp(registry: Registry, listen: Listen): void {
  const registers = [registry];
  const settlementSeconds = new Histogram({
    name: 'aibot_settlement_duration_seconds',
    help: 'Settlements from prepared to their end, by kind and outcome: settled, voided',
    labelNames: ['kind', 'outcome'],
    buckets: WORK_BUCKETS,
    registers,
  });
  listen('settlement', ({ kind, outcome, seconds }) =>
    settlementSeconds.observe({ kind, outcome }, seconds),
  );
  const commitSeconds = new Histogram({
    name: 'aibot_database_commit_duration_seconds',
    help: 'Writes to the database by result: committed, lost (nothing of it was kept)',
    labelNames: ['result'],
    buckets: COMMIT_BUCKETS,
    registers,
  });
  const commitSize = new Histogram({
    name: 'aibot_database_commit_transactions',
    help: 'Database transactions that shared one write to disk',
    buckets: SIZE_BUCKETS.filter((size) => size <= 64),
    registers,
  });
  listen('commit', ({ result, seconds, works }) => {
    commitSeconds.observe({ result }, seconds);
    commitSize.observe(works);
  });
  countAudits(registry, listen);
}

function countAudits(registry: Registry, listen: Listen): void {
  const registers = [registry];
  const findings = new Gauge({
    name: 'aibot_audit_findings',
    help: 'Findings of the last audit by invariant',
    labelNames: ['invariant'],
    registers,
  });
  const frozen = new Gauge({
    name: 'aibot_features_frozen',
    help: 'Features that the last audit has frozen',
    registers,
  });
  let lastAt: number | undefined;
  new Gauge({
    name: 'aibot_audit_age_seconds',
    help: 'Time since the last audit; absent before the first',
    registers,
    collect() {
      if (lastAt === undefined) this.remove();
      else this.set((Date.now() - lastAt) / 1_000);
    },
  });
  listen('audit', ({ at, broken, frozen: features }) => {
    lastAt = at;
    frozen.set(features.length);
    findings.reset();
    for (const invariant of broken) findings.inc({ invariant });
  });
}

function countEdges(registry: Registry, listen: Listen): void {
  const registers = [registry];
  const answerSeconds = new Histogram({
    name: 'aibot_interaction_first_answer_seconds',
    help: 'Time until Discord had the first answer to an interaction, by action; members see a failure after 3',
    labelNames: ['action'],
    buckets: ANSWER_BUCKETS,
    registers,
  });
  listen('answer', ({ action, seconds }) => answerSeconds.observe({ action }, seconds));
  const interactionSeconds = new Histogram({
    name: 'aibot_interaction_duration_seconds',
    help: 'Time until an interaction had its last answer, by action and result: done, refused, broken, turned-away',
    labelNames: ['action', 'result'],
    buckets: WORK_BUCKETS,
    registers,
  });
  listen('interaction', ({ action, result, seconds }) =>
    interactionSeconds.observe({ action, result }, seconds),
  );
  const requestSeconds = new Histogram({
    name: 'aibot_http_request_duration_seconds',
    help: 'Requests of the HTTP API by method, route and status, but for reads of the chain',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  listen('request', ({ method, route, status, seconds }) =>
    requestSeconds.observe({ method, route, status }, seconds),
  );
  countReads(registry, listen);
  const refusals = new Counter({
    name: 'aibot_refusals_total',
    help: 'Expected refusals by edge and code; docs/errors.md says what each means',
    labelNames: ['edge', 'code'],
    registers,
  });
  listen('refusal', ({ edge, code }) => refusals.inc({ edge, code }));
  const faults = new Counter({
    name: 'aibot_faults_total',
    help: 'Faults: the log has each under the reference that was shown',
    labelNames: ['edge'],
    registers,
  });
  for (const edge of ['discord', 'http']) faults.inc({ edge }, 0);
  listen('fault', ({ edge }) => faults.inc({ edge }));
}

interface Tally {
  reads: number;
  seconds: number;
}

/** Reads are added up by hand and told when somebody asks: to observe each costs a part of what it costs to answer it. */
function countReads(registry: Registry, listen: Listen): void {
  const tallies = new Map<string, Map<number, Tally>>();
  const labelNames = ['route', 'status'];
  const registers = [registry];
  const fill = (): void => {
    reads.reset();
    seconds.reset();
    for (const [route, byStatus] of tallies) {
      for (const [status, tally] of byStatus) {
        reads.inc({ route, status }, tally.reads);
        seconds.inc({ route, status }, tally.seconds);
      }
    }
  };
  const reads = new Counter({
    name: 'aibot_http_reads_total',
    help: 'Reads of the chain over HTTP by route and status',
    labelNames,
    registers,
    collect: fill,
  });
  const seconds = new Counter({
    name: 'aibot_http_read_seconds_total',
    help: 'Time that the reads of the chain over HTTP took, by route and status',
    labelNames,
    registers,
  });
  listen('read', ({ route, status, seconds: taken }) => {
    let byStatus = tallies.get(route);
    if (byStatus === undefined) tallies.set(route, (byStatus = new Map<number, Tally>()));
    const tally = byStatus.get(status);
    if (tally === undefined) {
      byStatus.set(status, { reads: 1, seconds: taken });
      return;
    }
    tally.reads += 1;
    tally.seconds += taken;
  });
}
