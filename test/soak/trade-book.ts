// What the trading members know of their trades: who put in what, as their own screens said.

export interface KnownTrade {
  readonly sides: readonly [string, string];
  /** Which NFGTs each side gives, by member. */
  readonly assets: Map<string, string[]>;
  /** The coins that each side gives, by member, in gc. */
  readonly coins: Map<string, number>;
}

export class TradeBook {
  readonly #trades = new Map<string, KnownTrade>();
  readonly #busy = new Set<string>();

  /** Whether a member takes part in a flow already. */
  isBusy(memberId: string): boolean {
    return this.#busy.has(memberId);
  }

  /** Keeps both members from other trades while `work` runs. */
  async between(sides: readonly [string, string], work: () => Promise<void>): Promise<void> {
    for (const memberId of sides) this.#busy.add(memberId);
    try {
      await work();
    } finally {
      for (const memberId of sides) this.#busy.delete(memberId);
    }
  }

  open(tradeId: string, sides: readonly [string, string]): KnownTrade {
    const trade: KnownTrade = { sides, assets: new Map(), coins: new Map() };
    this.#trades.set(tradeId, trade);
    return trade;
  }

  find(tradeId: string): KnownTrade | undefined {
    return this.#trades.get(tradeId);
  }
}
