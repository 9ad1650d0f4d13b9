// What the soak's bot gives away: enough prizes and mints that neither runs out within the half hour.
const COPIES = 1_000;
const SERIES = ['lamp', 'kite', 'boat', 'owl', 'koi', 'moon'] as const;

/** How many NFGTs the bot mints for itself before it starts, and how many wait for members to mint them. */
export interface Stock {
  readonly prizes: number;
  readonly mintable: number;
}

function seriesOf(name: string, held: 'bot' | 'open', count: number): readonly string[] {
  if (count === 0) return [];
  return [
    `    - id: ${name}`,
    `      name: The ${name}`,
    `      held: ${held}`,
    '      stars: 3',
    `      assets: [{ id: ${name}, name: A ${name}, copies: ${count} }]`,
  ];
}

/** The text of the Guyacha file. Half of the rolls give coins, a third cards, the rest NFGTs while there are any. */
export function soakGuyacha({ prizes, mintable }: Stock): string {
  const series: string[] = [];
  const prizeSeries: string[] = [];
  for (const [index, name] of SERIES.entries()) {
    const left = prizes - index * COPIES;
    if (left <= 0) break;
    prizeSeries.push(name);
    series.push(...seriesOf(name, 'bot', Math.min(left, COPIES)));
  }
  for (let index = 0; index * COPIES < mintable; index += 1) {
    series.push(...seriesOf(`fresh-${index}`, 'open', Math.min(mintable - index * COPIES, COPIES)));
  }
  const weight = Math.floor(160 / prizeSeries.length);
  return [
    'catalogue:',
    '  series:',
    ...series,
    '  cards:',
    '    - { id: joker, name: A joker, stars: 2 }',
    'banners:',
    '  - id: soak',
    '    name: Soak',
    '    price: 60',
    '    entries:',
    '      - { id: coins, name: Some coins, stars: 1, weight: 500, coins: 50 }',
    '      - { card: joker, weight: 340 }',
    ...prizeSeries.map(
      (name) => `      - { id: ${name}, name: A ${name}, weight: ${weight}, series: ${name} }`,
    ),
    '',
  ].join('\n');
}
