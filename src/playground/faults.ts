// Faults injected into the answers to the bot: bad statuses, and answers that never arrive.
import type { FaultPlan } from './api.ts';

/** The faults that are still to come. */
export class Faults {
  #plans: { plan: FaultPlan; left: number }[] = [];

  /** Plans a fault. */
  add(plan: FaultPlan): void {
    this.#plans.push({ plan, left: plan.times ?? 1 });
  }

  /** The fault that a call meets, if any; it is used up. */
  take(method: string, path: string): FaultPlan | undefined {
    const call = `${method} ${path}`;
    const found = this.#plans.find(({ plan: { route } }) =>
      typeof route === 'string' ? call.includes(route) : (route?.test(call) ?? true),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#plans = this.#plans.filter((one) => one !== found);
    return found.plan;
  }
}
