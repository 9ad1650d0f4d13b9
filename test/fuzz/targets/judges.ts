// Where another program has the last word, it is asked: git about the names of refs, ssh about signatures.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkSignature } from '../../../src/git/check-signature.ts';
import { signerOfSeed } from '../../../src/git/ssh-signature.ts';
import { must, pure, type Target } from '../target.ts';
import { isRefName } from './chain.ts';

const PAYLOAD = Buffer.from('what is signed');
const SIGNATURE = await signerOfSeed(Buffer.alloc(32, 9)).sign(PAYLOAD);

export const judgeTargets: readonly Target[] = [
  pure({
    name: 'git-ref-names',
    covers: ['src/chain/refs.ts#parseAssetId'],
    seeds: ['nfgt-crane', 'nfgt-a/b', 'nfgt-x.lock', '@', 'ünï'],
    tokens: ['.lock', '..', '@{', '.', '/', '@', '~', '\\', '\u007f'],
    maxLength: 60,
    slower: { times: 500, reason: 'each input starts a process of git' },
    check: (input) => {
      const name = `refs/heads/${input}`;
      if (!name.isWellFormed() || name.includes('\0')) return;
      const { status } = spawnSync('git', ['check-ref-format', name]);
      must(isRefName(name) === (status === 0), 'the rules for names are git’s');
    },
  }),
  {
    name: 'ssh-signatures',
    covers: ['src/git/check-signature.ts#checkSignature'],
    seeds: [SIGNATURE],
    tokens: ['=', '\n', 'A'],
    slower: { times: 500, reason: 'each input starts a process of ssh-keygen' },
    open: () => {
      const dir = mkdtempSync(join(tmpdir(), 'aibot-fuzz-'));
      const file = join(dir, 'signature');
      return {
        check: async (input) => {
          const { state } = await checkSignature(input, PAYLOAD);
          if (state === 'other-kind') return;
          writeFileSync(file, input);
          const asked = spawnSync(
            'ssh-keygen',
            ['-Y', 'check-novalidate', '-n', 'git', '-s', file],
            { input: PAYLOAD },
          );
          must(state !== 'good' || asked.status === 0, 'what is good here is good for ssh');
        },
        close: () => rm(dir, { recursive: true }),
      };
    },
  },
];
