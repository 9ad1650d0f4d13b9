// What an operator's tools ask of the process: its metrics, and whether it is ready for its work.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { VERSION } from './version.ts';
import { countMeasurements } from './counted.ts';
import { makeLookedUp, type Watched } from './looked-up.ts';
import { listNotReady, type NotReady } from './readiness.ts';

/** Heap, RSS, collector, event loop, file descriptors: of the process, so made once in it. */
let ofProcess: Registry | undefined;

export class Operation {
  readonly #registry = new Registry();
  readonly #lookUp = makeLookedUp(this.#registry);
  readonly #stopCounting = countMeasurements(this.#registry);
  #watched: Watched | undefined;
  #isStopping = false;

  /** Counts from now on, so it comes before the parts that it watches. */
  constructor() {
    const info = new Gauge({
      name: 'aibot_build_info',
      help: '1, with the version that runs',
      labelNames: ['version', 'node'],
      registers: [this.#registry],
    });
    info.set({ version: VERSION, node: process.version }, 1);
    if (ofProcess !== undefined) return;
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }

  /** The parts are open. */
  watch(watched: Watched): void {
    this.#watched = watched;
  }

  /** From now on the process is not ready: it finishes what it has. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Every metric in the text format of Prometheus. */
  async metrics(): Promise<{ readonly type: string; readonly text: string }> {
    if (this.#watched !== undefined) await this.#lookUp(this.#watched);
    const texts = [await this.#registry.metrics(), (await ofProcess?.metrics()) ?? ''];
    return { type: this.#registry.contentType, text: texts.join('\n') };
  }

  /** Codes of what keeps the process from its work; none when it is ready. */
  async listNotReady(): Promise<readonly NotReady[]> {
    if (this.#isStopping) return ['STOPPING'];
    return this.#watched === undefined ? ['STARTING'] : await listNotReady(this.#watched);
  }

  close(): void {
    this.#stopCounting();
  }
}
