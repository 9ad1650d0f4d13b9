// How people look: their names, and avatars drawn on the spot so that nothing is fetched from elsewhere.
import type { WireUser } from '../wire.ts';

const HUES = 360;

/** The name shown for a user. */
export function nameOf(user: WireUser): string {
  return user.global_name ?? user.username;
}

/** A round picture with the user's initials, as a data address. */
export function avatarOf(user: WireUser): string {
  let hash = 7;
  for (const character of user.id + user.username) {
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 100_003;
  }
  const words = nameOf(user).match(/[\p{L}\p{N}]+/gu) ?? ['?'];
  const initials = words.slice(0, 2).map((word) => /^./u.exec(word)?.[0] ?? '');
  const background = user.bot ? '#5865f2' : `hsl(${hash % HUES} 55% 42%)`;
  return svg(background, initials.join('').toUpperCase());
}

function svg(background: string, label: string): string {
  const text = `<text x="50%" y="54%" font-family="sans-serif" font-size="17" font-weight="600" fill="#fff" text-anchor="middle" dominant-baseline="middle">${label}</text>`;
  const image = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" fill="${background}"/>${text}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(image)}`;
}
