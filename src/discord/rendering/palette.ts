// One colour for each rarity and for each state.

/** By stars, 0 (not in the catalogue) to 6. */
const RARITY = [0x99aab5, 0x95a5a6, 0x2ecc71, 0x3498db, 0x9b59b6, 0xe67e22, 0xf1c40f] as const;

export const STATE_COLOUR = {
  editing: 0x3498db,
  locked: 0xf1c40f,
  bothLocked: 0xffb700,
  settled: 0x2ecc71,
  cancelled: 0xe74c3c,
} as const;

const MAX_STARS = 6;

/** The colour of a rarity. */
export function rarityColour(stars: number): number {
  return RARITY[Math.max(0, Math.min(MAX_STARS, Math.trunc(stars)))] ?? RARITY[0];
}

/** Stars in words: `★★★`; nothing for an asset that the catalogue does not know. */
export function starsOf(stars: number): string {
  return '★'.repeat(Math.max(0, Math.min(MAX_STARS, Math.trunc(stars))));
}
