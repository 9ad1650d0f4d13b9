// The living subjects of the pictures: each is drawn around the origin, about 280 wide and high.
import { at, mix, repeat } from './artwork-dice.ts';
import type { Dice, Palette } from './artwork-dice.ts';

type Drawing = (dice: Dice, palette: Palette) => string;

const eyes = (dx: number, y: number, r: number, ink: string): string =>
  [-dx, dx]
    .map(
      (x) =>
        `<circle cx="${x}" cy="${y}" r="${r}" fill="${ink}"/>` +
        `<circle cx="${at(x + r * 0.3)}" cy="${at(y - r * 0.35)}" r="${at(r * 0.34)}" fill="#ffffff"/>`,
    )
    .join('');

const closedEyes = (dx: number, y: number, r: number, ink: string): string =>
  [-dx, dx]
    .map(
      (x) =>
        `<path d="M${x - r} ${y}Q${x} ${y + r} ${x + r} ${y}" fill="none" stroke="${ink}" stroke-width="4" stroke-linecap="round"/>`,
    )
    .join('');

const cheeks = (dx: number, y: number, r: number, colour: string): string =>
  `<g fill="${colour}" opacity="0.5"><ellipse cx="${-dx}" cy="${y}" rx="${r}" ry="${at(r * 0.65)}"/>` +
  `<ellipse cx="${dx}" cy="${y}" rx="${r}" ry="${at(r * 0.65)}"/></g>`;

/** A sitting fox with its tail around it. */
export const fox: Drawing = (dice, { main, second, light, ink }) => {
  const fur = dice.chance(25) ? mix(light, '#c9d4ea', 0.5) : mix(main, '#e8792f', 0.45);
  const dark = mix(fur, ink, 0.5);
  const sleepy = dice.chance(35);
  return (
    `<path d="M40 130C150 140 170 40 118 -12C112 40 90 70 30 86Z" fill="${fur}"/>` +
    `<path d="M118 -12C148 18 152 50 138 80C128 62 116 44 113 24Z" fill="${light}"/>` +
    `<path d="M-62 132C-78 50 -40 6 0 6S78 50 62 132Z" fill="${fur}"/>` +
    `<path d="M-28 132C-40 76 -20 44 0 44S40 76 28 132Z" fill="${light}"/>` +
    `<path d="M-46 132Q-46 108 -26 110T-10 132ZM46 132Q46 108 26 110T10 132Z" fill="${dark}"/>` +
    `<path d="M-78 -126L-22 -78L-70 -34ZM78 -126L22 -78L70 -34Z" fill="${fur}" stroke="${fur}" stroke-width="8" stroke-linejoin="round"/>` +
    `<path d="M-70 -106L-36 -76L-62 -50ZM70 -106L36 -76L62 -50Z" fill="${dark}"/>` +
    `<path d="M0 -96C50 -96 78 -64 92 -22C64 6 30 30 0 40C-30 30 -64 6 -92 -22C-78 -64 -50 -96 0 -96Z" fill="${fur}"/>` +
    `<path d="M-92 -22C-60 -36 -26 -26 -12 10L0 40C-30 30 -64 6 -92 -22ZM92 -22C60 -36 26 -26 12 10L0 40C30 30 64 6 92 -22Z" fill="${light}"/>` +
    (sleepy ? closedEyes(36, -30, 11, ink) : eyes(36, -30, 9, ink)) +
    cheeks(54, -6, 13, second) +
    `<ellipse cx="0" cy="31" rx="11" ry="8.5" fill="${ink}"/>` +
    (dice.chance(60)
      ? `<path d="M-52 40Q0 66 52 40L48 58Q0 84 -48 58Z" fill="${second}"/><path d="M20 62L44 102L18 96L10 66Z" fill="${mix(second, ink, 0.2)}"/>`
      : '')
  );
};

/** A round cat, seen from the front. */
export const cat: Drawing = (dice, { main, second, light, ink }) => {
  const fur = dice.pick([
    mix(ink, '#3a3a4a', 0.5),
    mix(light, '#f3e3c8', 0.6),
    mix(main, light, 0.25),
    '#9aa3b2',
  ]);
  const patch = dice.pick([mix(main, ink, 0.15), mix(fur, ink, 0.35), light]);
  const face = fur === patch ? light : patch;
  const isDark = fur.startsWith('#2') || fur.startsWith('#3') || fur.startsWith('#1');
  const line = isDark ? light : ink;
  const whiskers = [-1, 1]
    .map((side) => `<path d="M${side * 42} -4L${side * 98} -14M${side * 42} 6L${side * 98} 12"/>`)
    .join('');
  const stripes = dice.chance(50)
    ? `<path d="M-14 -84L-8 -58H-20ZM0 -86L7 -54H-7ZM14 -84L20 -58H8Z" fill="${face}"/>`
    : `<path d="M0 -86C40 -86 70 -66 78 -34C50 -22 22 -34 6 -60Z" fill="${face}"/>`;
  return (
    `<path d="M66 126C150 126 154 56 128 30" fill="none" stroke="${fur}" stroke-width="30" stroke-linecap="round"/>` +
    `<path d="M-80 136C-96 50 -60 8 0 8S96 50 80 136Z" fill="${fur}"/>` +
    `<ellipse cx="0" cy="100" rx="42" ry="36" fill="${mix(fur, light, 0.5)}"/>` +
    `<path d="M-82 -118L-20 -78L-74 -34ZM82 -118L20 -78L74 -34Z" fill="${fur}" stroke="${fur}" stroke-width="10" stroke-linejoin="round"/>` +
    `<path d="M-72 -98L-38 -76L-66 -54ZM72 -98L38 -76L66 -54Z" fill="${mix(second, light, 0.4)}"/>` +
    `<ellipse cx="0" cy="-22" rx="92" ry="66" fill="${fur}"/>${stripes}` +
    (dice.chance(40)
      ? closedEyes(38, -22, 12, line)
      : `<g>${[-38, 38].map((x) => `<circle cx="${x}" cy="-22" r="16" fill="${mix(main, '#ffe27a', 0.6)}"/><ellipse cx="${x}" cy="-22" rx="6" ry="13" fill="#15131f"/><circle cx="${x + 4}" cy="-28" r="4" fill="#ffffff"/>`).join('')}</g>`) +
    cheeks(62, 4, 13, second) +
    `<path d="M-8 -2H8L0 8Z" fill="${second}"/><path d="M0 8Q-4 20 -16 18M0 8Q4 20 16 18" fill="none" stroke="${line}" stroke-width="3.5" stroke-linecap="round"/>` +
    `<g stroke="${line}" stroke-width="2.5" stroke-linecap="round" opacity="0.7">${whiskers}</g>` +
    `<path d="M-64 34Q0 62 64 34" fill="none" stroke="${second}" stroke-width="11" stroke-linecap="round"/>` +
    `<circle cx="0" cy="58" r="15" fill="#f4c54a"/><path d="M0 58V70M-8 56H8" stroke="${ink}" stroke-width="3"/>`
  );
};

/** A carp from above. */
export const koi: Drawing = (dice, { main, second, light, ink }) => {
  const body = mix(light, '#ffffff', 0.4);
  const spots = repeat(dice.between(3, 5), (i) => {
    const x = -70 + i * 36 + dice.between(-8, 8);
    const y = dice.between(-24, 22);
    const [rx, ry] = [dice.between(18, 32), dice.between(13, 24)];
    const colour = dice.chance(22) ? ink : i % 2 === 0 ? mix(main, '#e4572e', 0.5) : main;
    return `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" fill="${colour}"/>`;
  });
  const outline =
    'M-132 0C-116 -46 -40 -62 20 -42C60 -28 90 -14 104 0C90 14 60 28 20 42C-40 62 -116 46 -132 0Z';
  const turn = dice.pick([-38, -24, 24, 38]);
  const fin = mix(body, main, 0.35);
  return (
    `<g transform="rotate(${turn})">` +
    `<path d="M92 0C120 -10 128 -48 164 -58C152 -24 152 24 164 58C128 48 120 10 92 0Z" fill="${fin}"/>` +
    `<path d="M-52 -40C-50 -78 -22 -96 6 -98C-6 -76 -6 -58 -14 -42ZM-52 40C-50 78 -22 96 6 98C-6 76 -6 58 -14 42Z" fill="${fin}"/>` +
    `<clipPath id="koi"><path d="${outline}"/></clipPath><path d="${outline}" fill="${body}"/>` +
    `<g clip-path="url(#koi)">${spots}</g>` +
    `<path d="M-20 0C20 -8 60 -6 96 0C60 6 20 8 -20 0Z" fill="${mix(fin, ink, 0.15)}"/>` +
    `<circle cx="-104" cy="-21" r="6" fill="${ink}"/><circle cx="-104" cy="21" r="6" fill="${ink}"/>` +
    `<path d="M-128 -14Q-150 -20 -156 -34M-128 14Q-150 20 -156 34" fill="none" stroke="${second}" stroke-width="4" stroke-linecap="round"/></g>`
  );
};

/** An owl on a branch. */
export const owl: Drawing = (dice, { main, second, light, ink }) => {
  const coat = dice.pick([mix(main, ink, 0.35), mix(second, ink, 0.3), mix(light, '#b99b7a', 0.6)]);
  const belly = mix(coat, light, 0.65);
  const feathers = repeat(12, (i) => {
    const [row, column] = [Math.floor(i / 4), i % 4];
    const x = (column - 1.5) * 26 + (row % 2 === 0 ? 0 : 12);
    return `<path d="M${x - 9} ${26 + row * 24}q9 16 18 0" fill="none" stroke="${coat}" stroke-width="4" stroke-linecap="round"/>`;
  });
  const iris = mix(main, '#ffd84d', 0.55);
  const eye = (x: number): string =>
    `<circle cx="${x}" cy="-50" r="40" fill="${light}"/><circle cx="${x}" cy="-50" r="24" fill="${iris}"/>` +
    `<circle cx="${x}" cy="-50" r="14" fill="${ink}"/><circle cx="${x + 6}" cy="-57" r="5" fill="#ffffff"/>`;
  const wing = `<path d="M-88 -20C-120 30 -108 84 -70 116C-62 70 -66 20 -88 -20Z" fill="${mix(coat, ink, 0.3)}"/>`;
  return (
    `<path d="M-170 124Q0 104 170 130" fill="none" stroke="${mix(ink, '#6b4a2f', 0.5)}" stroke-width="17" stroke-linecap="round"/>` +
    `<path d="M-86 -134L-40 -104H40L86 -134C98 -90 100 -50 96 -10C104 60 60 122 0 122S-104 60 -96 -10C-100 -50 -98 -90 -86 -134Z" fill="${coat}"/>` +
    `<ellipse cy="52" rx="62" ry="62" fill="${belly}"/>${feathers}${wing}<g transform="scale(-1 1)">${wing}</g>` +
    eye(-40) +
    eye(40) +
    `<path d="M-11 -38H11L0 -10Z" fill="${mix('#f0a030', second, 0.2)}" stroke-linejoin="round"/>` +
    `<g fill="#f0a030">${repeat(6, (i) => `<ellipse cx="${[-44, -32, -20, 20, 32, 44][i] ?? 0}" cy="119" rx="6.5" ry="12"/>`)}</g>`
  );
};

/** A small whale with a fountain. */
export const whale: Drawing = (dice, { main, second, light, ink }) => {
  const back = dice.pick([
    mix(second, '#3b6fb5', 0.5),
    mix(main, ink, 0.3),
    mix(ink, '#4f7fc0', 0.55),
  ]);
  const drops = repeat(5, (i) => {
    const side = i - 2;
    const fall = 22 * Math.abs(side);
    return `<path d="M-30 -88C-30 -130 ${-30 + side * 12} ${-176 + fall} ${-30 + side * 34} ${-142 + fall}"/>`;
  });
  const grooves = repeat(
    5,
    (i) =>
      `<path d="M${-128 + i * 10} ${46 + i * 7}Q-60 ${70 + i * 9} ${10 + i * 8} ${58 + i * 6}"/>`,
  );
  return (
    `<g fill="none" stroke="${light}" stroke-width="7" stroke-linecap="round">${drops}</g>` +
    `<path d="M84 30C128 24 136 -10 126 -44C98 -50 90 -72 92 -92C116 -90 134 -78 142 -58C150 -80 168 -90 186 -88C188 -66 178 -46 158 -40C164 30 130 84 70 92Z" fill="${back}"/>` +
    `<path d="M-150 20C-146 -50 -86 -86 -20 -84C50 -80 84 -40 110 30C120 70 70 104 -20 106C-110 106 -154 76 -150 20Z" fill="${back}"/>` +
    `<path d="M-149 30C-100 34 -50 44 0 62C40 76 70 78 92 70C70 98 30 106 -20 106C-104 106 -146 80 -149 30Z" fill="${light}"/>` +
    `<g fill="none" stroke="${mix(back, light, 0.55)}" stroke-width="3.5" stroke-linecap="round">${grooves}</g>` +
    `<circle cx="-92" cy="6" r="9" fill="${ink}"/><circle cx="-89" cy="3" r="3" fill="#ffffff"/>` +
    `<ellipse cx="-70" cy="24" rx="13" ry="8" fill="${mix(main, '#ff8fa0', 0.5)}" opacity="0.6"/>` +
    `<path d="M-24 70C-10 110 16 126 44 122C40 98 26 78 8 66Z" fill="${mix(back, ink, 0.25)}"/>`
  );
};

/** A hare that looks up. */
export const hare: Drawing = (dice, { main, second, light, ink }) => {
  const fur = dice.pick([mix(light, '#ffffff', 0.5), mix(main, light, 0.55), '#c9ad8d', '#a9b4c6']);
  const shade = mix(fur, ink, 0.2);
  const lean = dice.between(-14, 14);
  const ear = (x: number, turn: number): string =>
    `<g transform="translate(${x} -70) rotate(${turn})"><ellipse cy="-50" rx="21" ry="62" fill="${fur}"/>` +
    `<ellipse cy="-46" rx="10" ry="44" fill="${mix(second, light, 0.45)}"/></g>`;
  return (
    `<circle cx="84" cy="104" r="26" fill="${mix(fur, '#ffffff', 0.6)}"/>` +
    `<path d="M-76 136C-100 40 -50 0 0 0S100 40 76 136Z" fill="${fur}"/>` +
    `<ellipse cx="-46" cy="124" rx="34" ry="18" fill="${shade}"/><ellipse cx="46" cy="124" rx="34" ry="18" fill="${shade}"/>` +
    ear(-30, -12 + lean) +
    ear(30, 14 + lean) +
    `<ellipse cy="-26" rx="76" ry="66" fill="${fur}"/><ellipse cy="4" rx="34" ry="24" fill="${mix(fur, '#ffffff', 0.6)}"/>` +
    (dice.chance(35) ? closedEyes(38, -30, 10, ink) : eyes(38, -30, 10, ink)) +
    cheeks(54, -6, 14, mix(main, '#ff8fa0', 0.5)) +
    `<path d="M-8 -8H8L0 1Z" fill="${ink}"/><path d="M0 1Q-4 12 -14 10M0 1Q4 12 14 10" fill="none" stroke="${ink}" stroke-width="3" stroke-linecap="round"/>` +
    `<path d="M-50 34Q0 58 50 34L46 50Q0 72 -46 50Z" fill="${main}"/>` +
    (dice.chance(50)
      ? `<g transform="translate(0 62)"><circle r="13" fill="${second}"/><circle r="5" fill="${light}"/></g>`
      : '')
  );
};
