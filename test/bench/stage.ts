// Sets up the chain that a row is measured on: made once from a seed, indexed once, copied anew for each row.
import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFiles } from '../../src/core.ts';
import { writeEventChain } from '../support/event-chain.ts';
import { openBenchNode } from './bench-node.ts';
import { chainOf, coldOf, type ChainName } from './chains.ts';
import type { Bench } from './row.ts';

const SEED = 'bench';

/** A directory of the benchmark's own, with one place where every row finds its chain: an index knows its beacon's path. */
export class Stage {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Puts a fresh copy of the chain in place; whatever the row before left there is gone. */
  async set(name: ChainName): Promise<Omit<Bench, 'quick'>> {
    const kept = join(this.#root, 'chains', name);
    if (!existsSync(kept)) {
      await this.#make(name);
      await mkdir(join(this.#root, 'chains'), { recursive: true });
      await rename(this.#path, kept);
    }
    await this.#clear();
    await cp(kept, this.#path, { recursive: true });
    return this.#partsOf(name);
  }

  get #path(): string {
    return join(this.#root, 'stage');
  }

  #partsOf(name: ChainName): Omit<Bench, 'quick'> {
    const isEmbedded = chainOf(name).kind === 'embedded';
    const remote = isEmbedded ? undefined : join(this.#path, 'remote.git');
    return {
      dataDir: join(this.#path, 'data'),
      remote,
      scratchDir: join(this.#path, 'scratch'),
    };
  }

  async #clear(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
  }

  /** Makes the chain on the stage, where its index will be used. */
  async #make(name: ChainName): Promise<void> {
    const { size, kind } = chainOf(name);
    if (kind === 'remote') {
      await openOnce(await this.set(coldOf(name)));
      return;
    }
    await this.#clear();
    const parts = this.#partsOf(name);
    await mkdir(parts.scratchDir, { recursive: true });
    // An embedded beacon is made by the program, with the settings that it gives its own.
    if (kind === 'embedded') await openOnce(parts);
    const gitDir = parts.remote ?? dataFiles(parts.dataDir).beacon;
    if (size !== undefined) await writeEventChain({ gitDir, seed: SEED, ...size });
    if (kind === 'embedded') await openOnce(parts);
  }
}

async function openOnce(parts: Pick<Bench, 'dataDir' | 'remote'>): Promise<void> {
  const node = await openBenchNode(parts);
  await node.close();
}
