// The lifeless subjects of the pictures: each is drawn around the origin, about 280 wide and high.
import { at, mix, repeat } from './artwork-dice.ts';
import type { Dice, Palette } from './artwork-dice.ts';
import { glow, starPath } from './artwork-card.ts';

type Drawing = (dice: Dice, palette: Palette) => string;

/** Paper lanterns on a string, the middle one lit. */
export const lantern: Drawing = (dice, { main, second, light, ink }) => {
  const one = (paper: string, crest: number): string => {
    const ribs = repeat(6, (i) => {
      const y = -60 + i * 24;
      const half = at(78 * Math.sqrt(1 - (y / 96) ** 2));
      return `<path d="M${-half} ${y}Q0 ${y + 11} ${half} ${y}"/>`;
    });
    return (
      `<ellipse rx="80" ry="94" fill="${paper}"/><ellipse rx="46" ry="90" fill="${mix(paper, '#fff3c4', 0.5)}"/>` +
      `<ellipse rx="20" ry="84" fill="${mix(paper, '#fffbe6', 0.75)}"/>` +
      `<g fill="none" stroke="${mix(paper, ink, 0.35)}" stroke-width="2.5" opacity="0.7">${ribs}</g>` +
      `<path d="${starPath(30, crest < 5 ? 20 : 12, crest)}" fill="${mix(paper, ink, 0.55)}" opacity="0.85"/>` +
      `<rect x="-38" y="-108" width="76" height="20" rx="6" fill="${ink}"/><rect x="-38" y="88" width="76" height="20" rx="6" fill="${ink}"/>` +
      `<path d="M0 108V126" stroke="${second}" stroke-width="6"/><path d="M-11 124H11L15 172H-15Z" fill="${second}"/>` +
      `<path d="M-5 132V170M5 132V170" stroke="${mix(second, ink, 0.3)}" stroke-width="2"/>`
    );
  };
  const crest = dice.pick([4, 5, 6, 8, 12]);
  const papers = [mix(main, '#e8553f', 0.35), mix(second, main, 0.3), main] as const;
  const small = (x: number, y: number, size: number): string =>
    `<g transform="translate(${x} ${y}) scale(${size})">${glow(0, 0, 150, light)}${one(dice.pick(papers), crest)}</g>`;
  const companions = dice.between(0, 2);
  return (
    `<path d="M-240 -190Q0 -120 240 -200" fill="none" stroke="${ink}" stroke-width="5"/>` +
    (companions > 0 ? small(-142, -92, 0.44) : '') +
    (companions > 1 ? small(146, -98, 0.4) : '') +
    `<path d="M0 -156V-96" stroke="${ink}" stroke-width="5"/>${glow(0, 0, 190, light)}${one(dice.pick(papers), crest)}` +
    `<circle cy="-4" r="6" fill="${light}"/>`
  );
};

/** A folded paper crane, sometimes with its young. */
export const crane: Drawing = (dice, { main, second, light, ink }) => {
  const paper = dice.pick([main, second, mix(light, '#ffffff', 0.5)]);
  const [bright, plain, shade, deep] = [
    mix(paper, '#ffffff', 0.55),
    mix(paper, '#ffffff', 0.2),
    paper,
    mix(paper, ink, 0.35),
  ];
  const dots = repeat(
    7,
    () =>
      `<circle cx="${dice.between(-50, 40)}" cy="${dice.between(-90, 0)}" r="${dice.between(3, 7)}"/>`,
  );
  const bird =
    `<path d="M-24 30L-150 -60L-138 -84Z" fill="${shade}"/><path d="M-138 -84L-178 -62L-150 -60Z" fill="${deep}"/>` +
    `<path d="M30 30L160 -70L66 44Z" fill="${deep}"/><path d="M30 30L160 -70L42 12Z" fill="${plain}"/>` +
    `<path d="M10 36L96 -130L60 40Z" fill="${shade}"/>` +
    `<path d="M-34 40L-66 -146L44 34Z" fill="${bright}"/><path d="M-34 40L-66 -146L-4 -46Z" fill="${plain}"/>` +
    `<path d="M-40 24L44 18L70 46L4 84Z" fill="${plain}"/><path d="M-40 24L4 84L14 40Z" fill="${shade}"/>` +
    `<path d="M14 40L70 46L4 84Z" fill="${deep}"/>`;
  const pattern = `<clipPath id="wing"><path d="M-34 40L-66 -146L44 34Z"/></clipPath><g clip-path="url(#wing)" fill="${mix(second, main, 0.4)}" opacity="0.7">${dots}</g>`;
  const young = repeat(dice.between(0, 3), (i) => {
    const [x, y] = [
      [-150, 96],
      [128, 108],
      [10, 150],
    ][i] ?? [0, 0];
    return `<g transform="translate(${x} ${y}) scale(${dice.pick(['0.3', '-0.3 0.3', '0.24'])})">${bird}</g>`;
  });
  return `${bird}${pattern}${young}`;
};

/** The moon in one of its phases. */
export const moon: Drawing = (dice, { main, second, light, ink }) => {
  const face = mix(light, '#ffe9a8', 0.55);
  const dark = mix(ink, second, 0.15);
  // The earth's shadow is a disc of the moon's size, pushed aside; undefined: full moon.
  const aside = dice.pick([undefined, 54, 96, 150, undefined, -72]);
  const shadow =
    aside === undefined ? '' : `<circle cx="${aside}" r="134" fill="${dark}" opacity="0.86"/>`;
  const asleep =
    aside === undefined && dice.chance(60)
      ? `<g fill="none" stroke="${mix(face, '#6b4a2f', 0.75)}" stroke-width="6" stroke-linecap="round"><path d="M-58 -8Q-40 10 -22 -8M22 -8Q40 10 58 -8M-14 34Q0 46 14 34"/></g><g fill="${main}" opacity="0.35"><circle cx="-70" cy="20" r="16"/><circle cx="70" cy="20" r="16"/></g>`
      : '';
  const craters = repeat(dice.between(5, 8), () => {
    const [angle, far] = [dice.between(0, 628) / 100, dice.between(15, 104)];
    const [x, y, r] = [at(far * Math.cos(angle)), at(far * Math.sin(angle)), dice.between(8, 21)];
    return `<circle cx="${x}" cy="${y}" r="${r}" fill="${mix(face, '#b38a4e', 0.28)}"/><circle cx="${x + 2}" cy="${y + 3}" r="${at(r * 0.78)}" fill="${mix(face, '#b38a4e', 0.14)}"/>`;
  });
  const cloud = (x: number, y: number): string =>
    `<g transform="translate(${x} ${y})" fill="${mix(light, '#ffffff', 0.5)}"><rect x="-74" y="-4" width="148" height="26" rx="13"/><circle cx="-28" cy="-8" r="26"/><circle cx="14" cy="-16" r="32"/><circle cx="48" cy="-2" r="19"/></g>`;
  const charm = repeat(3, (i) => {
    const x = -112 + i * 112;
    return `<path d="M${x} ${-196}V${120 + (i % 2) * 30}" stroke="${main}" stroke-width="2" opacity="0.6"/><path d="${starPath(17, 8)}" transform="translate(${x} ${128 + (i % 2) * 30})" fill="${main}"/>`;
  });
  return (
    (dice.chance(45) ? charm : '') +
    `${glow(0, 0, 176, light)}<g transform="rotate(${dice.between(-30, 30)})"><clipPath id="moon"><circle r="132"/></clipPath><g clip-path="url(#moon)"><circle r="132" fill="${face}"/>${craters}${shadow}</g></g>${asleep}` +
    (dice.chance(70) ? cloud(-92, 92) + cloud(112, 56) : cloud(100, 96))
  );
};

/** A cup of tea with steam. */
export const teacup: Drawing = (dice, { main, second, light, ink }) => {
  const glaze = dice.pick([mix(light, '#ffffff', 0.6), main, second, mix(second, light, 0.5)]);
  const band = glaze === main ? light : main;
  const petals = dice.between(5, 8);
  const flower = (x: number, y: number, size: number): string =>
    `<g transform="translate(${x} ${y}) scale(${size})">${repeat(petals, (i) => `<ellipse cy="-13" rx="7" ry="11" transform="rotate(${at((360 / petals) * i)})" fill="${band}"/>`)}<circle r="6" fill="#f6c945"/></g>`;
  const steam = repeat(3, (i) => {
    const x = -44 + i * 44;
    const h = dice.between(0, 20);
    return `<path d="M${x} -62C${x - 24} -90 ${x + 24} -${108 + h} ${x} -${140 + h}"/>`;
  });
  return (
    `<g fill="none" stroke="${mix(light, '#ffffff', 0.5)}" stroke-width="10" stroke-linecap="round" opacity="0.8">${steam}</g>` +
    `<ellipse cx="0" cy="126" rx="152" ry="26" fill="${mix(glaze, ink, 0.25)}"/><ellipse cx="0" cy="120" rx="152" ry="24" fill="${mix(glaze, '#ffffff', 0.3)}"/>` +
    `<ellipse cx="0" cy="118" rx="84" ry="12" fill="${mix(glaze, ink, 0.2)}"/>` +
    `<path d="M98 -16C166 -36 168 66 78 64" fill="none" stroke="${glaze}" stroke-width="20"/>` +
    `<path d="M-116 -34H116C116 62 72 118 0 118S-116 62 -116 -34Z" fill="${glaze}"/>` +
    `<path d="M62 -34H116C116 62 72 118 0 118C50 92 66 40 62 -34Z" fill="${mix(glaze, ink, 0.14)}"/>` +
    `<ellipse cx="0" cy="-34" rx="116" ry="25" fill="${mix(glaze, ink, 0.2)}"/><ellipse cx="0" cy="-31" rx="104" ry="19" fill="${mix('#b5652b', main, 0.15)}"/>` +
    `<ellipse cx="-26" cy="-35" rx="34" ry="5" fill="#ffffff" opacity="0.35"/>` +
    (dice.chance(60) ? `<path d="M20 -30q12 -14 26 -4q-10 12 -26 4Z" fill="#7cab5b"/>` : '') +
    flower(-32, 40, 1.5) +
    flower(36, 62, 1) +
    flower(-76, 10, 0.8) +
    (dice.chance(50) ? flower(56, 8, 0.8) : '')
  );
};

/** An oiled-paper umbrella from above, or leaning open. */
export const umbrella: Drawing = (dice, { main, second, light, ink }) => {
  const ribs = dice.pick([10, 12, 16]);
  const cloth = dice.pick([main, second, mix(main, second, 0.5)]);
  const panels = repeat(ribs, (i) => {
    const [a, b] = [i, i + 1].map((n) => (Math.PI * 2 * n) / ribs) as [number, number];
    const point = (angle: number, r: number): string =>
      `${at(r * Math.cos(angle))} ${at(r * Math.sin(angle))}`;
    return `<path d="M0 0L${point(a, 146)}Q${point((a + b) / 2, 134)} ${point(b, 146)}Z" fill="${i % 2 === 0 ? cloth : mix(cloth, ink, 0.13)}" stroke="${mix(cloth, ink, 0.45)}" stroke-width="2"/>`;
  });
  const ring = (r: number, width: number, colour: string): string =>
    `<circle r="${r}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;
  const pattern = dice.pick([
    ring(100, 26, light) + ring(40, 6, light),
    repeat(
      ribs / 2,
      (i) =>
        `<g transform="rotate(${at((720 / ribs) * i)}) translate(0 -92)">${repeat(5, (n) => `<ellipse cy="-11" rx="8" ry="11" transform="rotate(${72 * n})" fill="${light}"/>`)}<circle r="6" fill="#f6c945"/></g>`,
    ),
    ring(118, 5, light) + ring(102, 5, light) + ring(60, 14, mix(light, cloth, 0.25)),
  ]);
  return (
    `<g transform="rotate(${dice.between(0, 30)}) scale(1 0.95)"><path d="M0 0L96 196" stroke="${mix(ink, '#8a5a33', 0.6)}" stroke-width="12" stroke-linecap="round"/>` +
    `${panels}${pattern}${ring(146, 3, mix(cloth, ink, 0.4))}<circle r="17" fill="${ink}"/><circle r="8" fill="${light}"/></g>`
  );
};

/** A comet with a long tail. */
export const comet: Drawing = (dice, { main, second, light }) => {
  const tail = repeat(4, (i) => {
    const half = 62 - i * 15;
    const length = 300 - i * 44;
    const colour = [second, mix(second, main, 0.6), main, light][i] ?? light;
    return `<path d="M-20 ${-half}C60 ${-half} ${length * 0.6} ${at(-half * 0.7)} ${length} ${14 - i * 6}C${length * 0.6} ${at(half * 0.55)} 60 ${half} -20 ${half}Z" fill="${colour}" opacity="0.85"/>`;
  });
  const sparks = repeat(dice.between(7, 12), () => {
    const size = dice.between(5, 15);
    return `<path d="${starPath(size, at(size * 0.3), 4)}" transform="translate(${dice.between(-130, 190)} ${dice.between(-120, 110)})" fill="${light}"/>`;
  });
  const points = dice.pick([5, 6, 8]);
  return (
    `<g transform="translate(-52 52) rotate(${dice.between(-46, -26)})">${tail}</g>${sparks}` +
    `<g transform="translate(-60 60)">${glow(0, 0, 110, light)}<path d="${starPath(76, points === 5 ? 38 : 48, points)}" transform="rotate(${dice.between(0, 40)})" fill="${mix(main, '#ffe27a', 0.6)}" stroke="${light}" stroke-width="7" stroke-linejoin="round"/>` +
    `<circle cx="-16" cy="-4" r="6" fill="#3b2a3f"/><circle cx="18" cy="-4" r="6" fill="#3b2a3f"/><path d="M-8 12Q1 21 10 12" fill="none" stroke="#3b2a3f" stroke-width="4.5" stroke-linecap="round"/></g>`
  );
};

/** Mushrooms that glow a little. */
export const mushroom: Drawing = (dice, { main, second, light, ink }) => {
  const cap = dice.pick([mix(main, '#d63b3b', 0.4), second, mix(main, second, 0.5)]);
  const spots = repeat(
    dice.between(5, 7),
    (i) =>
      `<ellipse cx="${[-78, -34, 14, 60, 92, -8, -104][i] ?? 0}" cy="${[-44, -92, -54, -90, -30, -122, -14][i] ?? 0}" rx="${dice.between(11, 20)}" ry="${dice.between(9, 15)}" fill="${light}"/>`,
  );
  const one =
    `<path d="M-34 10C-30 60 -50 110 -46 136H46C50 110 30 60 34 10Z" fill="${mix(light, '#f2dfc0', 0.5)}"/>` +
    `<path d="M10 10C16 60 20 110 16 136H46C50 110 30 60 34 10Z" fill="${mix(light, ink, 0.15)}"/>` +
    `<path d="M-46 30Q0 52 46 30L40 16H-40Z" fill="${mix(light, cap, 0.3)}"/>` +
    `<path d="M-138 10C-146 -80 -80 -146 0 -146S146 -80 138 10Q0 40 -138 10Z" fill="${cap}"/>` +
    `<path d="M60 -132C120 -104 144 -60 138 10Q100 20 60 23Q110 -50 60 -132Z" fill="${mix(cap, ink, 0.18)}"/>${spots}`;
  const face = `<circle cx="-16" cy="70" r="6" fill="${ink}"/><circle cx="18" cy="70" r="6" fill="${ink}"/><path d="M-7 84Q1 92 9 84" fill="none" stroke="${ink}" stroke-width="4" stroke-linecap="round"/>`;
  return (
    (dice.chance(75) ? `<g transform="translate(-118 80) scale(0.42)">${one}</g>` : '') +
    (dice.chance(60) ? `<g transform="translate(122 94) scale(0.32)">${one}</g>` : '') +
    one +
    (dice.chance(60) ? face : '')
  );
};

/** A folded paper boat, with a flag. */
export const boat: Drawing = (dice, { main, second, light, ink }) => {
  const paper = dice.pick([
    mix(light, '#ffffff', 0.6),
    mix(main, '#ffffff', 0.4),
    mix(second, '#ffffff', 0.35),
  ]);
  const flag = dice.pick([main, second]);
  return (
    `<path d="M0 -60V-176" stroke="${ink}" stroke-width="6" stroke-linecap="round"/><path d="M0 -174Q40 -190 78 -164Q44 -150 0 -134Z" fill="${flag}"/>` +
    `<path d="M-74 40L0 -78L74 40Z" fill="${paper}"/><path d="M0 -78L74 40H14Z" fill="${mix(paper, ink, 0.2)}"/>` +
    `<path d="M-158 10L-96 112H96L158 10L60 46H-60Z" fill="${paper}"/><path d="M158 10L96 112H0L60 46Z" fill="${mix(paper, ink, 0.14)}"/>` +
    `<path d="M-158 10L-60 46L-96 112Z" fill="${mix(paper, ink, 0.07)}"/>` +
    `<g fill="none" stroke="${mix(main, ink, 0.1)}" stroke-width="6" opacity="0.85"><path d="M-118 68Q-98 56 -78 68T-38 68T2 68T42 68T82 68T118 68"/></g>` +
    (dice.chance(55)
      ? `<g transform="translate(-34 16)"><circle r="19" fill="${main}"/><circle cx="-6" cy="-2" r="3" fill="${ink}"/><circle cx="6" cy="-2" r="3" fill="${ink}"/><path d="M-20 -6Q0 -40 20 -6Z" fill="${second}"/></g>`
      : '') +
    `<g fill="none" stroke="${light}" stroke-width="5" stroke-linecap="round" opacity="0.8"><path d="M-190 118Q-160 104 -130 118M130 122Q160 108 190 122M-60 132Q-30 120 0 132T60 132"/></g>`
  );
};

/** A glass wind bell with its slip of paper. */
export const chime: Drawing = (dice, { main, second, light, ink }) => {
  const sway = dice.between(-9, 9);
  const fish = `<g fill="${mix(main, '#e4572e', 0.4)}"><path d="M-46 -36q30 -26 58 0q-28 26 -58 0Z"/><path d="M8 -36l24 -16v32Z"/></g>`;
  const blossom = repeat(
    3,
    (i) =>
      `<g transform="translate(${[-44, 4, 46][i] ?? 0} ${[-30, -62, -24][i] ?? 0})">${repeat(5, (n) => `<ellipse cy="-9" rx="6.5" ry="9" transform="rotate(${72 * n})" fill="${main}"/>`)}<circle r="4" fill="#f6c945"/></g>`,
  );
  return (
    `<path d="M0 -190V-126" stroke="${ink}" stroke-width="5"/><circle cy="-132" r="9" fill="${second}"/>` +
    `<path d="M-96 10C-116 -66 -60 -128 0 -128S116 -66 96 10Q0 34 -96 10Z" fill="${mix(second, '#ffffff', 0.55)}" opacity="0.82"/>` +
    (dice.chance(50) ? fish : blossom) +
    `<path d="M-70 -84C-54 -106 -34 -114 -16 -116C-40 -100 -60 -76 -66 -50C-76 -58 -76 -74 -70 -84Z" fill="#ffffff" opacity="0.85"/>` +
    `<path d="M-96 10Q0 34 96 10" fill="none" stroke="${main}" stroke-width="8" stroke-linecap="round"/>` +
    `<g transform="rotate(${sway})"><path d="M0 -20V64" stroke="${ink}" stroke-width="4"/><circle cy="30" r="11" fill="${main}"/>` +
    `<rect x="-30" y="60" width="60" height="112" rx="5" fill="${light}"/><rect x="-30" y="60" width="60" height="16" fill="${second}"/>` +
    `<path d="${starPath(17, 8, dice.pick([4, 5, 6]))}" transform="translate(0 104)" fill="${main}"/><path d="M-16 138H16M-16 150H6" stroke="${mix(light, ink, 0.35)}" stroke-width="4" stroke-linecap="round"/></g>`
  );
};

/** A kite in the wind. */
export const kite: Drawing = (dice, { main, second, light, ink }) => {
  const bows = repeat(4, (i) => {
    const [x, y] = [
      [-10, 118],
      [-44, 146],
      [-92, 158],
      [-140, 148],
    ][i] ?? [0, 0];
    return `<g transform="translate(${x} ${y}) rotate(${i * 24 + 10})"><path d="M0 0L-18 -11V11ZM0 0L18 -11V11Z" fill="${i % 2 === 0 ? second : main}"/></g>`;
  });
  const face = dice.chance(60)
    ? `<circle cx="-26" cy="-50" r="9" fill="${ink}"/><circle cx="26" cy="-50" r="9" fill="${ink}"/><path d="M-20 -22Q0 2 20 -22" fill="none" stroke="${ink}" stroke-width="6" stroke-linecap="round"/>`
    : `<path d="${starPath(34, 16, dice.pick([5, 6, 8]))}" transform="translate(0 -36)" fill="${light}"/>`;
  return (
    `<g transform="rotate(${dice.between(4, 24)})"><path d="M0 90C0 130 -60 170 -150 146" fill="none" stroke="${ink}" stroke-width="4"/>${bows}` +
    `<path d="M0 -150L98 -44L0 96L-98 -44Z" fill="${main}"/><path d="M0 -150L98 -44H0Z" fill="${second}"/><path d="M0 96L-98 -44H0Z" fill="${mix(second, light, 0.35)}"/>` +
    `<path d="M0 -150V96M-98 -44H98" stroke="${mix(ink, main, 0.3)}" stroke-width="4"/><circle cy="-36" r="52" fill="${mix(light, main, 0.1)}"/>` +
    (face.includes('Q0 2') ? face : face.replace(light, second)) +
    '</g>'
  );
};
