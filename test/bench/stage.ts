// Sets up the chain that a row is measured on: made once from a seed, indexed once, copied anew for each row.
import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFiles } from '../../src/core.ts';
import { writeEventChain } from '../support/event-chain.ts';
import { openBenchNode } from './bench-node.ts';
import { CHAINS, type Chain, type ChainName } from './chains.ts';
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
    const chain: Chain = CHAINS[name];
    const kept = join(this.#root, 'chains', name);
    if (!existsSync(kept)) await this.#make(chain, kept);
    await this.#clear();
    await cp(kept, this.#path, { recursive: true });
    return this.#partsOf(chain);
  }

  get #path(): string {
    return join(this.#root, 'stage');
  }

  #partsOf({ place }: Chain): Omit<Bench, 'quick'> {
    const remote = place === 'remote' ? join(this.#path, 'remote.git') : undefined;
    return {
      dataDir: join(this.#path, 'data'),
      remote,
      scratchDir: join(this.#path, 'scratch'),
    };
  }

  async #clear(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
  }

  /** Makes the chain on the stage, where its index will be used, and keeps it. */
  async #make(chain: Chain, kept: string): Promise<void> {
    await this.#clear();
    const { dataDir, remote, scratchDir } = this.#partsOf(chain);
    await mkdir(scratchDir, { recursive: true });
    // An embedded beacon is made by the program, with the settings that it gives its own.
    if (remote === undefined) await openOnce(dataDir, undefined);
    const gitDir = remote ?? dataFiles(dataDir).beacon;
    if (chain.size !== undefined) await writeEventChain({ gitDir, seed: SEED, ...chain.size });
    if (chain.indexed) await openOnce(dataDir, remote);
    await mkdir(join(kept, '..'), { recursive: true });
    await rename(this.#path, kept);
  }
}

async function openOnce(dataDir: string, remote: string | undefined): Promise<void> {
  const node = await openBenchNode({ dataDir, remote });
  await node.close();
}
