// The chaos run's Guyacha file: half of the rolls win an NFGT, and as many as anyone likes wait to be minted.
export const CHAOS_GUYACHA = `
catalogue:
  series:
    - id: lamps
      name: Lamps
      held: bot
      stars: 3
      assets: [{ id: lamp, name: A lamp, copies: 40 }]
    - id: fresh
      name: Fresh ink
      held: open
      stars: 4
      assets: [{ id: fresh, name: A fresh page, copies: 400 }]
banners:
  - id: chaos
    name: Chaos
    price: 60
    entries:
      - { id: coins, name: Some coins, stars: 1, weight: 50, coins: 30 }
      - { id: lamp, name: A lamp, weight: 50, series: lamps }
`;
