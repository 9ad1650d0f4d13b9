// The `aibot` command itself: how node is started for it, and its version.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = new URL('../../', import.meta.url).pathname;
const AIBOT = join(ROOT, 'dist/program/src/cli/aibot.js');
const { version, scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  scripts: { start: string };
};

test('says its version', () => {
  const printed = execFileSync(process.execPath, [AIBOT, '--version'], { encoding: 'utf8' });
  expect(printed).toBe(`${version}\n`);
});

test('tells node the same as npm start', () => {
  const [, flags] = /^node (.*) dist\//.exec(scripts.start) ?? [];
  expect(readFileSync(AIBOT, 'utf8').split('\n')[0]).toBe(`#!/usr/bin/env -S node ${flags}`);
});
