// Holds docs/metrics.md, and the alerts of docs/operation.md, against the metrics that the program serves.
import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { metricsDocument } from '../support/metrics-document.ts';

const DOCUMENT = new URL('../../docs/metrics.md', import.meta.url);
const OPERATION = new URL('../../docs/operation.md', import.meta.url);

test('docs/metrics.md says what is served, all of it and nothing else', async () => {
  const document = await metricsDocument();
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(DOCUMENT, document);
  expect(await readFile(DOCUMENT, 'utf8')).toBe(document);
});

test('alerts ask for metrics that there are, and each says what to do', async () => {
  const text = await readFile(OPERATION, 'utf8');
  const metrics = await readFile(DOCUMENT, 'utf8');
  const asked = text.match(/\b(?:aibot|nodejs|process)_[a-z0-9_]+\b/g) ?? [];
  expect(asked.length).toBeGreaterThan(8);
  for (const name of asked)
    expect(metrics).toContain(`\`${name.replace(/_(?:bucket|count)$/, '')}\``);
  const alerts = [...text.matchAll(/alert: (\w+)/g)].map(([, name]) => name);
  const advised = [...text.matchAll(/^\| `(Aibot\w+)`/gm)].map(([, name]) => name);
  expect(advised).toEqual(alerts);
});
