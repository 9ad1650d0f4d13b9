// A small Guyacha file for the crash tests: half of the rolls win an NFGT as long as the bot has one.
const LAMPS = Array.from({ length: 24 }, (_, n) => `{ id: lamp-${n}, name: Lamp ${n} }`);

export const CRASH_GUYACHA = `
catalogue:
  series:
    - id: lamps
      name: Lamps
      held: bot
      stars: 3
      assets: [${LAMPS.join(', ')}]
banners:
  - id: crash
    name: Crash
    price: 60
    entries:
      - { id: coins, name: Some coins, stars: 1, weight: 50, coins: 30 }
      - { id: lamp, name: A lamp, weight: 50, series: lamps }
`;
