// Makes docs/metrics.md from the metrics that the program serves, so that the two cannot drift apart.
import { Operation } from '../../src/operation/operation.ts';
import { parseExposition, type Family } from './exposition.ts';

const HEAD = `# Metrics

Everything that \`GET /metrics\` answers, in the text format of Prometheus; how to scrape it and what to be alerted of stands
in [operation](operation.md). This page is made from the code by \`UPDATE_DOCS=1 npm test -- test/docs\` and checked by
that test. Of a histogram, \`_count\` says how often something happened. No label holds an id, a name or a path.
`;

const table = (title: string, families: readonly Family[]): string =>
  [
    `\n## ${title}\n`,
    '| metric | type | meaning |',
    '| --- | --- | --- |',
    ...families.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`),
    '',
  ].join('\n');

/** The whole text of docs/metrics.md. */
export async function metricsDocument(): Promise<string> {
  const operation = new Operation();
  const { text } = await operation.metrics();
  operation.close();
  const families = [...parseExposition(text).values()];
  const isOurs = ({ name }: Family): boolean => name.startsWith('aibot_');
  const ours = families.filter(isOurs);
  const others = families.filter((family) => !isOurs(family));
  return `${HEAD}${table('Of the bot and its node', ours)}${table('Of the process', others)}`;
}
