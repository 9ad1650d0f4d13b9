// What surrounds the subject of a picture: sky, ground, and the frame whose colour and stars tell the rarity.
import { at, mix, repeat } from './artwork-dice.ts';
import type { Dice, Palette } from './artwork-dice.ts';

const WIDTH = 480;
const HEIGHT = 640;
/** The window through which the scene is seen. */
const WINDOW = { x: 26, y: 26, width: 428, height: 522, radius: 26 };
const HORIZON = 430;

/** Edge and face of the frame for 0 (not in the catalogue) to 6 stars. */
const RARITIES: readonly (readonly [edge: string, face: string, star: string])[] = [
  ['#4a4f5c', '#8b92a1', '#e3e6ec'],
  ['#6d675d', '#b9b1a2', '#fff8e6'],
  ['#2f5d43', '#7fae83', '#f6ffe9'],
  ['#1f4f7a', '#79aeda', '#eef8ff'],
  ['#4b2f7a', '#a98bd8', '#fbf0ff'],
  ['#7d5410', '#eec253', '#fffbe6'],
  ['#54307a', '#f2a7c3', '#ffffff'],
];

/** The whole picture as an SVG document, without any text in it. */
export function cardSvg(scene: string, stars: number, palette: Palette): string {
  const { x, y, width, height, radius } = WINDOW;
  const shape = `x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">` +
    `<defs>${definitions(stars, palette)}<clipPath id="window"><rect ${shape}/></clipPath></defs>` +
    frame(stars) +
    `<g clip-path="url(#window)">${scene}</g>` +
    `<rect ${shape} fill="none" stroke="${rarity(stars)[0]}" stroke-width="5"/>` +
    `<rect ${shape} fill="none" stroke="${rarity(stars)[2]}" stroke-width="1.5"/>` +
    corners(stars) +
    starRow(stars) +
    '</svg>'
  );
}

function rarity(stars: number): readonly [edge: string, face: string, star: string] {
  return RARITIES[stars] ?? ['#000000', '#000000', '#ffffff'];
}

function definitions(stars: number, { skyTop, skyBottom }: Palette): string {
  const [edge, face, star] = rarity(stars);
  // Six stars shimmer like mother-of-pearl; the others are one metal each.
  // Both gradients run along an axis: pictures are a third smaller than with slanting ones.
  const face6 = ['#f7a8c4', '#fbd9a0', '#b9f0c9', '#9fd2fb', '#d0b1f7', '#f7a8c4'];
  const stops = stars === 6 ? face6 : [mix(face, star, 0.55), face, mix(face, edge, 0.45), face];
  const gradient = stops
    .map((colour, i) => `<stop offset="${at(i / (stops.length - 1))}" stop-color="${colour}"/>`)
    .join('');
  return (
    `<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${skyTop}"/>` +
    `<stop offset="1" stop-color="${skyBottom}"/></linearGradient>` +
    `<linearGradient id="face">${gradient}</linearGradient>`
  );
}

function frame(stars: number): string {
  const [edge, , star] = rarity(stars);
  return (
    `<rect x="2" y="2" width="476" height="636" rx="38" fill="${edge}"/>` +
    `<rect x="7" y="7" width="466" height="626" rx="34" fill="url(#face)"/>` +
    `<rect x="13" y="13" width="454" height="614" rx="29" fill="none" stroke="${star}" stroke-opacity="0.55" stroke-width="1.5"/>`
  );
}

/** From four stars on the window's corners are set with little flowers. */
function corners(stars: number): string {
  if (stars < 4) return '';
  const [edge, , star] = rarity(stars);
  const petals = stars + 1;
  const flower = repeat(petals, (i) => {
    const turn = at((360 / petals) * i);
    return `<ellipse cy="-9" rx="5" ry="8" transform="rotate(${turn})" fill="${star}" stroke="${edge}" stroke-width="1.5"/>`;
  });
  const { x, y, width, height } = WINDOW;
  return repeat(4, (i) => {
    const left = i % 2 === 0 ? x + 9 : x + width - 9;
    const top = i < 2 ? y + 9 : y + height - 9;
    return `<g transform="translate(${left} ${top})">${flower}<circle r="4.5" fill="${edge}"/></g>`;
  });
}

function starRow(stars: number): string {
  const [edge, , star] = rarity(stars);
  const middle = (WINDOW.y + WINDOW.height + HEIGHT - 12) / 2;
  if (stars === 0) {
    return `<circle cx="${WIDTH / 2}" cy="${middle}" r="7" fill="none" stroke="${star}" stroke-width="3"/>`;
  }
  const gap = 50;
  return repeat(stars, (i) => {
    const x = WIDTH / 2 + (i - (stars - 1) / 2) * gap;
    return `<path d="${starPath(19, 9)}" transform="translate(${x} ${middle})" fill="${star}" stroke="${edge}" stroke-width="3.5" stroke-linejoin="round"/>`;
  });
}

/** A star of `points` points around the origin. */
export function starPath(outer: number, inner: number, points = 5): string {
  const corner = (i: number): string => {
    const radius = i % 2 === 0 ? outer : inner;
    const angle = (Math.PI * i) / points - Math.PI / 2;
    return `${at(radius * Math.cos(angle))} ${at(radius * Math.sin(angle))}`;
  };
  return `M${Array.from({ length: points * 2 }, (_, i) => corner(i)).join('L')}Z`;
}

/** Light around a point, as flat rings: the picture stays small, and looks like cut paper. */
export function glow(x: number, y: number, radius: number, colour: string): string {
  const rings = repeat(4, (i) => `<circle r="${at(radius * (1 - i * 0.18))}"/>`);
  return `<g transform="translate(${x} ${y})" fill="${colour}" fill-opacity="0.14">${rings}</g>`;
}

/** What the subject stands on, floats over or swims in. */
export type Ground = 'hills' | 'water' | 'pond' | 'none';

/** Everything behind the subject. */
export function backdrop(dice: Dice, palette: Palette, stars: number, ground: Ground): string {
  if (ground === 'pond') return pond(dice, palette, stars);
  const sky = `<rect width="${WIDTH}" height="${HEIGHT}" fill="url(#sky)"/>`;
  const weather = palette.isNight ? nightSky(dice, palette) : daySky(dice, palette);
  const rays = stars >= 5 ? sunRays(palette, stars) : '';
  const land = { hills, water, none: () => '' }[ground](dice, palette);
  return `${sky}${rays}${weather}${glow(240, 285, 206, palette.light)}${land}`;
}

/** Water from above, with lily pads. */
function pond(dice: Dice, { far, near, main, light }: Palette, stars: number): string {
  const deep = mix(near, '#0d4a62', 0.35);
  const rings = repeat(5, (i) => {
    const r = 235 - i * 38;
    return `<ellipse cx="240" cy="290" rx="${r}" ry="${at(r * 0.92)}" fill="${mix(deep, far, i / 5)}" stroke="${light}" stroke-width="2" stroke-opacity="0.35"/>`;
  });
  const leaf = mix('#6fa35e', near, 0.25);
  const pads = repeat(dice.between(3, 5), (i) => {
    const [x, y] = [
      [78, 96],
      [404, 470],
      [92, 478],
      [396, 108],
      [240, 62],
    ][i] ?? [240, 520];
    const size = dice.between(26, 46);
    const bloom = dice.chance(45 + stars * 5)
      ? repeat(
          6,
          (n) =>
            `<ellipse cy="-13" rx="8" ry="14" transform="rotate(${60 * n})" fill="${mix(main, light, 0.45)}"/>`,
        ) + `<circle r="6" fill="#f6c945"/>`
      : '';
    return `<g transform="translate(${x} ${y}) rotate(${dice.between(0, 359)})"><path d="M0 0L${at(size * 0.94)} ${at(size * -0.34)}A${size} ${size} 0 1 0 ${at(size * 0.94)} ${at(size * 0.34)}Z" fill="${leaf}" stroke="${mix(leaf, light, 0.4)}" stroke-width="2.5"/>${bloom}</g>`;
  });
  return `<rect width="${WIDTH}" height="${HEIGHT}" fill="${deep}"/>${rings}${pads}`;
}

function nightSky(dice: Dice, { light }: Palette): string {
  return repeat(dice.between(26, 44), () => {
    const [x, y] = [dice.between(36, 444), dice.between(36, 420)];
    const size = dice.between(8, 26) / 10;
    return dice.chance(18)
      ? `<path d="${starPath(size * 3.4, size, 4)}" transform="translate(${x} ${y})" fill="${light}" opacity="0.85"/>`
      : `<circle cx="${x}" cy="${y}" r="${size}" fill="${light}" opacity="0.7"/>`;
  });
}

function daySky(dice: Dice, { light }: Palette): string {
  return repeat(dice.between(3, 5), () => {
    const [x, y] = [dice.between(40, 440), dice.between(50, 330)];
    const size = dice.between(24, 44);
    const puff = (dx: number, dy: number, r: number): string =>
      `<circle cx="${at(x + dx * size)}" cy="${at(y + dy * size)}" r="${at(r * size)}"/>`;
    const base = `<rect x="${at(x - 1.6 * size)}" y="${at(y - 0.06 * size)}" width="${at(3.2 * size)}" height="${at(0.66 * size)}" rx="${at(0.33 * size)}"/>`;
    return `<g fill="${light}" opacity="0.75">${puff(-0.6, -0.05, 0.55)}${puff(0.25, -0.25, 0.72)}${puff(0.95, 0.1, 0.45)}${base}</g>`;
  });
}

function sunRays({ light }: Palette, stars: number): string {
  const count = stars === 6 ? 18 : 12;
  const rays = repeat(count, (i) => {
    const turn = at((360 / count) * i);
    return `<path d="M0 0L-26 -460H26Z" transform="rotate(${turn})"/>`;
  });
  return `<g transform="translate(240 285)" fill="${light}" opacity="0.16">${rays}</g>`;
}

function hills(dice: Dice, { far, near, light }: Palette): string {
  const ridge = (top: number, sway: number, colour: string): string => {
    const [a, b, c] = [0, 0, 0].map(() => top + dice.between(-sway, sway));
    return `<path d="M0 ${a}C80 ${b} 130 ${b} 210 ${c}S390 ${a} 480 ${b}V640H0Z" fill="${colour}"/>`;
  };
  const grass = repeat(dice.between(8, 14), () => {
    const [x, y] = [dice.between(40, 440), dice.between(HORIZON + 60, 536)];
    return `<circle cx="${x}" cy="${y}" r="${dice.between(15, 32) / 10}" fill="${light}" opacity="0.55"/>`;
  });
  return ridge(HORIZON - 40, 24, far) + ridge(HORIZON + 26, 16, near) + grass;
}

/** Rows of overlapping fans, as on old festival cloth. */
function water(_dice: Dice, { far, near, light }: Palette): string {
  const radius = 44;
  return repeat(5, (row) => {
    const y = HORIZON + row * 24 + 8;
    const shift = row % 2 === 0 ? 0 : radius;
    return repeat(8, (i) => {
      const x = i * radius * 2 - radius + shift - 40;
      const ring = (r: number, fill: string): string =>
        `<circle cx="${x}" cy="${y + 30}" r="${r}" fill="${fill}"/>`;
      const edge = mix(near, light, 0.45);
      return (
        ring(radius, edge) +
        ring(radius - 4, mix(far, near, row / 4)) +
        ring(26, edge) +
        ring(23, near)
      );
    });
  });
}
