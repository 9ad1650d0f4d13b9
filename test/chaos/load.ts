// Everyone who acts in a world: members on Discord and programs on the API, together.
import type { Randomness } from '../../src/guyacha/randomness.ts';
import { Callers } from './callers.ts';
import { Members } from './members.ts';
import type { World } from './world.ts';

export class Load {
  readonly members: Members;
  readonly callers: Callers;
  #isRunning = false;

  constructor(world: World, randomness: Randomness) {
    this.members = new Members(world.standIn, randomness);
    this.callers = new Callers(
      () => world.bot,
      () => world.validator,
    );
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.members.start();
    this.callers.start();
  }

  /** Waits for every answer and begins nothing more; both nodes have to run. */
  async pause(): Promise<void> {
    if (!this.#isRunning) return;
    await Promise.all([this.members.pause(), this.callers.pause()]);
    this.#isRunning = false;
  }

  words(): string {
    return `${this.members.acts} acts so far`;
  }
}
