// What a fault of a chaos run is, and what it is given.
import type { Randomness } from '../../src/guyacha/randomness.ts';
import type { Load } from './load.ts';
import type { World } from './world.ts';

/** What a fault is given: the world, who acts in it, and chance from the run's seed. */
export interface Scene {
  readonly world: World;
  readonly load: Load;
  readonly dice: Randomness;
}

export interface Fault {
  readonly kind: string;
  /** For `--list`. */
  readonly what: string;
  /** Needs a disk that can be full. */
  readonly needsDisks?: true;
  /** Does it while the load runs. @returns what was not as it must be, in words. */
  readonly inflict: (scene: Scene) => Promise<readonly string[]>;
}
