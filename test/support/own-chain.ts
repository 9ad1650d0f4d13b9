// A small chain that our own node made, signed and proven, and the tools to damage what is signed and revealed.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import type { FindingKind } from '../../src/chain/verify-kinds.ts';
import { encodeCommit } from '../../src/git/commit-writer.ts';
import type { CommitSigner } from '../../src/git/ssh-signature.ts';
import { openNode } from '../../src/node.ts';
import { git, tempDir } from './temp-dir.ts';

/** Findings that only a chain with signatures and reveals can have. */
export type OwnKind = Extract<
  FindingKind,
  'signature-wrong' | 'signer-unlisted' | 'reveal-wrong' | 'reveal-unknown' | 'well-known-broken'
>;

export interface OwnChain {
  readonly path: string;
  readonly git: (...args: readonly string[]) => string;
  /** The transactions of the asset `lamp`, oldest first: a mint and two hand-overs. */
  readonly transactionIds: readonly string[];
  readonly tip: string;
  /** What moves the lamp next. */
  readonly passphrase: string;
  /** The committer of the validator's commits. */
  readonly committer: string;
  /** The one file of reveals. */
  readonly proofFile: string;
  readonly readFile: (file: string) => string;
  /** Puts a file on the branch `well-known`. @returns the branch's new tip */
  readonly writeFile: (file: string, content: string | Buffer, mode?: string) => string;
  /** Writes the lamp's tip anew and sets branch and tag on it. */
  readonly replaceTip: (change: (commit: string) => string | Promise<string>) => Promise<string>;
}

/** A commit with this signer's signature in place of its own. */
export const resign = (signer: CommitSigner) => async (commit: string) => {
  const [header = '', message = ''] = withoutSignature(commit).split('\n\n');
  const signed = await encodeCommit('sha1', { header: `${header}\n`, message, signer });
  return signed.toString('utf8');
};

export const withoutSignature = (commit: string): string =>
  commit.replace(/^gpgsig.*\n(?: .*\n)*/m, '');

interface Template {
  readonly folder: string;
  readonly transactionIds: readonly string[];
  readonly passphrase: string;
}

/** The chain is made once; each test damages a copy. */
let template: Promise<Template> | undefined;

afterAll(async () => {
  if (template !== undefined) rmSync((await template).folder, { recursive: true, force: true });
});

/**
 * Mints the lamp, hands it over twice, mints a ring, and stops cleanly.
 * @param beaconSshKey signs; without one the node signs with a key of its own.
 */
export async function runOwnNode(
  folder: string,
  beaconSshKey?: string,
): Promise<Omit<Template, 'folder'>> {
  const beaconUrl = join(folder, 'beacon.git');
  const dataDir = join(folder, 'data');
  const node = await openNode({ beaconUrl, dataDir, nodeRole: 'validator', beaconSshKey });
  const transactionIds: string[] = [];
  let passphrase: string | undefined;
  for (const ownerId of ['ada', 'ben', 'cy']) {
    const group = await node.check([{ assetId: 'lamp', ownerId, passphrase }]);
    await node.submit(group);
    await node.outcomeOf(group.groupId);
    passphrase = group.transactions[0]!.successorPassphrase;
    transactionIds.push(group.transactions[0]!.record.transactionId);
  }
  const ring = await node.check([{ assetId: 'ring', ownerId: 'dan' }]);
  await node.submit(ring);
  await node.outcomeOf(ring.groupId);
  await node.close();
  return { transactionIds, passphrase: passphrase! };
}

async function makeTemplate(): Promise<Template> {
  const folder = mkdtempSync(join(tmpdir(), 'aibot-own-'));
  return { folder, ...(await runOwnNode(folder)) };
}

export async function makeOwnChain(): Promise<OwnChain> {
  template ??= makeTemplate();
  const { folder, transactionIds, passphrase } = await template;
  const path = join(tempDir(), 'beacon.git');
  cpSync(join(folder, 'beacon.git'), path, { recursive: true });
  const run = (...args: readonly string[]): string => git(path, args);
  const listed = run('ls-tree', '-r', '--name-only', 'well-known').split('\n');
  return {
    path,
    git: run,
    transactionIds,
    tip: run('rev-parse', 'nfgt-lamp'),
    passphrase,
    committer: run('show', '-s', '--format=%cn', 'nfgt-lamp'),
    proofFile: listed.find((file) => file.startsWith('proofs/'))!,
    readFile: (file) => run('show', `well-known:${file}`),
    writeFile: (file, content, mode = '100644') => {
      const bytes = Buffer.from(content);
      const head =
        'commit refs/heads/well-known\ncommitter abc123 <abc123> 1900000000 +0000\ndata 4\nedit\n' +
        `from refs/heads/well-known^0\nM ${mode} inline ${file}\ndata ${bytes.length}\n`;
      const stream = Buffer.concat([Buffer.from(head), bytes, Buffer.from('\n')]);
      git(path, ['fast-import', '--quiet'], stream);
      return run('rev-parse', 'well-known');
    },
    replaceTip: async (change) => {
      const commit = await change(run('cat-file', 'commit', 'nfgt-lamp'));
      const id = git(path, ['hash-object', '-w', '-t', 'commit', '--stdin'], commit);
      run('update-ref', 'refs/heads/nfgt-lamp', id);
      run('update-ref', `refs/tags/${transactionIds[2]!}`, id);
      return id;
    },
  };
}
