// What git, ssh and the remote say, and what git's object store holds.
import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { parseAdvertisement } from '../../../src/git/advertisement.ts';
import { parseCommit } from '../../../src/git/branch-reader.ts';
import { checkSignature } from '../../../src/git/check-signature.ts';
import { encodeTree, withFile } from '../../../src/git/git-objects.ts';
import { ObjectReader } from '../../../src/git/object-reader.ts';
import { applyChanges } from '../../../src/git/packed-refs.ts';
import type { ProcessPool, RunResult } from '../../../src/git/processes.ts';
import { explain, judgePush, parsePorcelain } from '../../../src/git/push-report.ts';
import { parseRefList } from '../../../src/git/ref-list.ts';
import { remoteFailure } from '../../../src/git/remote-failure.ts';
import { parseRemoteUrl, redact } from '../../../src/git/remote-url.ts';
import { readHeader, splitCommit } from '../../../src/git/repository-reader.ts';
import { parseListing } from '../../../src/git/reserved-branch.ts';
import { readRootTree } from '../../../src/git/root-tree.ts';
import { signerOfKey, signerOfSeed } from '../../../src/git/ssh-signature.ts';
import { isCommitId, type CommitId } from '../../../src/shared/ids.ts';
import { bytesOf, inputOf, refusing } from '../refusals.ts';
import { must, pure, type Target } from '../target.ts';

const ID = 'a1'.repeat(20);
const OTHER = 'b2'.repeat(20);
const BRANCH = 'refs/heads/nfgt-crane';
const TAG = 'refs/tags/11111111-2222-4333-8444-555555555555';
const REFS: ReadonlySet<string> = new Set([BRANCH, TAG]);
/** As `processes.ts` bounds it: the beginning and the end. */
const STDERR_CHARS = 65_536;

const ran = (exitCode: number, stdout: string, stderr: string): RunResult => ({
  ...{ exitCode, stdout: Buffer.from(stdout), stderr, interruption: undefined },
});

const PORCELAIN = [
  `To ssh://git@host/x.git\n*\trefs/outbox/heads/a:${BRANCH}\t[new branch]\n*\t${ID}:${TAG}\t[new tag]\nDone\n`,
  `!\t${ID}:${BRANCH}\t[rejected] (fetch first)\n!\t${ID}:${TAG}\t[rejected] (atomic push failed)\n`,
  `=\t${ID}:${BRANCH}\t[up to date]\n!\t${ID}:${TAG}\t[remote failure]\n`,
];

function checkPorcelain(input: string): void {
  const reports = parsePorcelain(input);
  for (const { flag, ref, summary } of reports) {
    must(' +*=!-'.includes(flag), 'a flag is one of git’s');
    must(input.includes(`:${ref}\t${summary}`), 'a report stands in the output');
  }
  const named = new Set(reports.map(({ ref }) => ref));
  const good = judgePush(ran(0, input, ''), REFS);
  const isWhole = [...REFS].every((ref) => named.has(ref));
  must(
    good.outcome !== 'accepted' || isWhole,
    'a push counts as accepted only when every ref was reported',
  );
  must(good.outcome !== 'refused', 'success is never taken for a refusal');
  const bad = judgePush(ran(1, input, ''), REFS);
  must(bad.outcome !== 'accepted', 'a push that failed is never taken for accepted');
  if (bad.outcome !== 'refused') return;
  must(isWhole, 'a push counts as refused only when every ref was reported');
  const last = new Map(reports.map((report) => [report.ref, report.flag]));
  must(
    last.get(TAG) === '!' || last.get(TAG) === '-',
    'a tag that stands on the remote is no refusal',
  );
}

const STDERRS = [
  'fatal: Could not read from remote repository.\nPlease make sure you have the correct access rights\n',
  `remote: error: cannot lock ref '${BRANCH}': is at ${ID} but expected ${OTHER}\n`,
  '@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nOffending ED25519 key in /home/a/.ssh/known_hosts:3\nHost key verification failed.\n',
  "fatal: unable to access 'https://user:secret@host.example/x.git/': The requested URL returned error: 403\n",
  `refs/outbox/heads/a ${ID} ${BRANCH} ${OTHER}\nerror: failed to push some refs\n`,
  'error: RPC failed; HTTP 500\nsend-pack: unexpected disconnect\n',
];

function checkStderr(input: string): void {
  const remote = { transport: 'ssh', location: 'x', description: 'the beacon' } as const;
  const error = remoteFailure(remote, ran(128, '', input));
  must(error.message.length < 2_000, 'what is told of a failure is short');
  const verdict = judgePush(ran(128, '', input), REFS);
  must(verdict.outcome !== 'accepted', 'a push that failed is never taken for accepted');
  if (verdict.outcome === 'refused') {
    must(
      [...verdict.staleRefs].every((ref) => REFS.has(ref)),
      'only refs of the push can be stale',
    );
  }
  must(explain('', input).length <= 600, 'an explanation is a line');
}

function checkRedact(input: string): void {
  const said = redact(input);
  must(redact(said) === said || said.length < input.length, 'what was redacted stays so');
  for (const [, credentials = ''] of input.matchAll(/https:\/\/([a-z0-9:]+)@/g)) {
    must(!said.includes(`https://${credentials}@`), 'no credentials of a URL are left');
  }
}

function checkListing(input: string): void | Promise<void> {
  const output = bytesOf(input);
  const { branches, tags } = parseRefList(output);
  for (const { name, target } of [...branches, ...tags]) {
    must(isCommitId(target), 'a ref stands on an object id');
    must(!name.includes('\n'), 'a name is on one line');
  }
  return parseAdvertisement(output).then((seen) => {
    for (const [name, id] of seen.branches) {
      must(isCommitId(id), 'a branch stands on an object id');
      const last = branches.filter((branch) => branch.name === name).at(-1);
      must(
        last?.target === id || name.endsWith('^{}'),
        'both readings of a listing agree on a branch',
      );
    }
    for (const [name] of seen.tags) {
      // eslint-disable-next-line no-control-regex -- these are what must not be there
      must(!/[\u0000-\u0020\u007f]/.test(name), 'a name has no control characters');
    }
  });
}

const LISTING = `${ID}\trefs/heads/main\n${OTHER}\t${BRANCH}\n${ID}\t${TAG}\n${OTHER}\t${TAG}^{}\n${ID}\trefs/pull/1/head\n`;

const entry = (mode: string, name: string, id = ID) => ({ mode, name: Buffer.from(name), id });
const TREES = [
  encodeTree([entry('100644', 'metadata.json'), entry('40000', 'proofs'), entry('100755', 'a b')]),
  encodeTree([entry('120000', 'metadata.json'), entry('160000', 'module')]),
  encodeTree([]),
];

/** Two readers of trees: what the one takes for a tree the other does, and both find the same in it. */
function checkTree(input: string): void {
  const content = bytesOf(input);
  const read = readRootTree({ id: ID, type: 'tree', size: content.length, content });
  let written: Buffer | undefined;
  try {
    written = withFile('sha1', content, 'metadata.json', OTHER);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  must((read === undefined) === (written === undefined), 'both readers agree on what is a tree');
  if (read === undefined || written === undefined) return;
  const after = readRootTree({ id: ID, type: 'tree', size: written.length, content: written });
  must(
    after?.record?.id === OTHER && after.record.mode === '100644',
    'the file that was put in is found',
  );
  const others = read.listOthers();
  must(
    others.every(({ mode, name }) => !mode.includes('\0') && !name.includes('\0')),
    'names end at NUL',
  );
  must(after.listOthers().length <= others.length, 'putting a file in adds nothing else');
}

const identity = 'a1b2c3 <a1b2c3> 1700000000 +0000';
const COMMIT = `tree ${ID}\nparent ${OTHER}\nauthor ${identity}\ncommitter ${identity}\n`;
const SIGNER = signerOfSeed(Buffer.alloc(32, 7));
const PAYLOAD = Buffer.from(`${COMMIT}\nmessage`);
const SIGNATURE = await SIGNER.sign(PAYLOAD);
const SIGNED = `${COMMIT}gpgsig ${SIGNATURE.trimEnd().replaceAll('\n', '\n ')}\n\nmessage`;

function checkCommit(input: string): void {
  const content = bytesOf(input);
  const { parents, message } = parseCommit(content);
  must(parents.every(isCommitId), 'a parent is an object id');
  must(
    !message.endsWith('\n\n') || input.endsWith('\n\n\n') || !input.includes('\n\n\n'),
    'a message ends as it did',
  );
  const header = readHeader(content);
  must(
    Number.isSafeInteger(header.commitTimeSeconds) && header.commitTimeSeconds >= 0,
    'a time is whole',
  );
  const { signature, payload } = splitCommit(content, 'gpgsig');
  must(payload.length + signature.length <= content.length, 'a commit is parted, nothing is added');
  must(
    splitCommit(payload, 'gpgsig').signature === '' || /^gpgsig/m.test(payload.toString('latin1')),
    'what was signed holds no signature',
  );
}

const RSA = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const rsaKey = await signerOfKey(RSA.privateKey);
if ('fault' in rsaKey) throw new Error(rsaKey.fault);
const rsaSigner = rsaKey;
const RSA_SIGNATURE = await rsaSigner.sign(PAYLOAD);

const STATES = ['good', 'wrong', 'other-kind'];
/** The blob within the armour is what is changed: a change of base64 alone would hardly ever be another signature. */
const armored = (blob: Buffer): string =>
  `-----BEGIN SSH SIGNATURE-----\n${blob.toString('base64').replace(/.{1,70}/g, '$&\n')}-----END SSH SIGNATURE-----\n`;
const blobOf = (signature: string): Buffer =>
  Buffer.from(signature.replace(/-----.*-----/g, ''), 'base64');

async function checkBlob(input: string): Promise<void> {
  const { state, ...facts } = await checkSignature(armored(bytesOf(input)), PAYLOAD);
  must(STATES.includes(state), 'a signature is good, wrong or of another kind');
  if (state !== 'good') return;
  must(
    'publicKey' in facts && [SIGNER.publicKey, rsaSigner.publicKey].includes(facts.publicKey),
    'nobody signs with a key that he has not',
  );
  const elsewhere = await checkSignature(armored(bytesOf(input)), Buffer.from('another commit'));
  must(elsewhere.state === 'wrong', 'a signature is of one commit');
}

const PACKED = [
  '# pack-refs with: peeled fully-peeled sorted ',
  `${ID} refs/heads/main`,
  `${ID} ${BRANCH}`,
  `${OTHER} refs/heads/nfgt-z`,
  `${OTHER} refs/tags/a`,
  `^${ID}`,
  `${OTHER} ${TAG}`,
  '',
].join('\n');

/** Reads the file line by line, as git documents it; undefined when it is not sorted or not of that form. */
function readPacked(content: string): Map<string, string> | undefined {
  const refs = new Map<string, string>();
  let last = '';
  let canPeel = false;
  for (const line of content.slice(0, -1).split('\n').slice(1)) {
    const [, id, ref] = /^([0-9a-f]{40}) ([^ \n]+)$/.exec(line) ?? [];
    if (canPeel && /^\^[0-9a-f]{40}$/.test(line)) canPeel = false;
    else if (id === undefined || ref === undefined || ref <= last) return undefined;
    else {
      refs.set(ref, id);
      last = ref;
      canPeel = true;
    }
  }
  return refs;
}

function checkPacked(input: string): void {
  const content = bytesOf(input);
  const target = 'c3'.repeat(20) as CommitId;
  const changes = [BRANCH, 'refs/heads/nfgt-new'].map((ref) => ({
    ref,
    target,
    expected: [ID, undefined],
  }));
  let parts: readonly Buffer[] | undefined;
  try {
    parts = applyChanges(content, changes);
  } catch (error) {
    if (error instanceof Error && /^the packed refs are (?:cut off|damaged)$/.test(error.message))
      return;
    throw error;
  }
  const before = readPacked(input);
  if (parts === undefined || before === undefined) return;
  const after = readPacked(inputOf(parts.length === 0 ? content : Buffer.concat(parts)));
  must(after !== undefined, 'a sound file stays sound');
  must(
    changes.every(({ ref }) => after.get(ref) === target),
    'every ref stands where it was set',
  );
  for (const [ref, id] of before)
    must(after.get(ref) === (ref === BRANCH ? target : id), 'other refs stay');
  must(after.size <= before.size + changes.length, 'no ref comes from nowhere');
}

/** A cat-file that says what it likes; whatever that is, each request has an answer or the reading fails. */
async function checkCatFile(input: string): Promise<void> {
  const output = bytesOf(input);
  const pool: Pick<ProcessPool, 'start'> = {
    start: () => {
      const stdout = new EventEmitter();
      const child = Object.assign(new EventEmitter(), {
        stdout,
        stderr: undefined,
        kill: () => true,
        stdin: {
          write: () => {
            const half = output.length >> 1;
            stdout.emit('data', output.subarray(0, half));
            stdout.emit('data', output.subarray(half));
            child.emit('close');
            return true;
          },
        },
      });
      return child as unknown as ReturnType<ProcessPool['start']>;
    },
  };
  // SAFETY: a reader asks its pool for nothing but processes.
  const reader = new ObjectReader(pool as ProcessPool, '/nowhere', {});
  const requests = [ID, OTHER].map(
    (object) => ({ command: 'contents', object, maxBytes: 64 }) as const,
  );
  let answers;
  try {
    answers = await reader.read(requests);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('git cat-file ended')) return;
    throw error;
  }
  must(answers.length === requests.length, 'every request has its answer');
  for (const answer of answers) {
    must((answer?.content?.length ?? 0) <= 64, 'no content is larger than was asked for');
    must(
      answer?.content === undefined || answer.content.length === answer.size,
      'a content is whole',
    );
  }
}

function checkUrl(input: string): void {
  const remote = refusing(['BEACON_UNUSABLE'], () => parseRemoteUrl(input));
  if (remote === undefined) return;
  const { transport, location, description } = remote;
  must(
    // eslint-disable-next-line no-control-regex -- these are what must not be there
    !/[\u0000-\u001f\u007f]/.test(location + description),
    'a location has no control characters',
  );
  must(
    !location.startsWith('-') && !/^[a-z0-9+.-]+::/i.test(location),
    'a location is no option and no helper',
  );
  if (transport === 'path') must(location.startsWith('/'), 'a path is absolute');
  const parsed = /^[a-z]+:\/\//i.test(input) ? new URL(input) : undefined;
  if (parsed === undefined || transport === 'path') return;
  must(['ssh:', 'https:'].includes(parsed.protocol), 'only ssh and https leave the machine');
  const { username, password, search, hash } = new URL(description);
  must(username + password + search + hash === '', 'a description holds no credentials');
  must(!/^(?:-|%2d)/i.test(parsed.hostname), 'no host starts with a dash');
}

const ED25519 = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

export const gitTargets: readonly Target[] = [
  pure({
    name: 'porcelain',
    covers: ['src/git/push-report.ts#parsePorcelain', 'src/git/push-report.ts#judgePush'],
    seeds: PORCELAIN,
    tokens: [
      '!\t',
      '*\t',
      '=\t',
      '\t',
      ':',
      '[rejected]',
      '(fetch first)',
      '(atomic push failed)',
      '[remote failure]',
      `:${TAG}\t`,
      `:${BRANCH}\t`,
      '\n',
    ],
    check: checkPorcelain,
  }),
  pure({
    name: 'git-stderr',
    covers: [
      'src/git/remote-failure.ts#remoteFailure',
      'src/git/push-report.ts#explain',
      'src/git/push-report.ts#isFinal',
    ],
    seeds: STDERRS,
    tokens: [
      'remote: ',
      'fatal: ',
      'error: ',
      "'",
      ' key in ',
      ':1',
      'Offending ',
      "cannot lock ref '",
      'REMOTE HOST IDENTIFICATION HAS CHANGED\n',
      '://',
      '@',
      'a.',
    ],
    growthLength: 2 * STDERR_CHARS,
    check: checkStderr,
  }),
  pure({
    name: 'redact',
    covers: ['src/git/remote-url.ts#redact'],
    seeds: [
      "fatal: unable to access 'https://user:secret@host.example/x.git/'",
      'ssh://git@host:22/a b://c@d',
    ],
    tokens: ['://', '@', 'https://', 'a.', '-', "'", '/'],
    growthLength: 2 * STDERR_CHARS,
    check: checkRedact,
  }),
  pure({
    name: 'ref-listing',
    covers: ['src/git/ref-list.ts#parseRefList', 'src/git/advertisement.ts#parseAdvertisement'],
    seeds: [LISTING, LISTING.replaceAll(ID, 'c3'.repeat(32))],
    tokens: ['\t', '\n', 'refs/heads/', 'refs/tags/', '^{}', '\u00ff', '\0', ' '],
    isBytes: true,
    growthLength: 128 * 1024,
    check: checkListing,
  }),
  pure({
    name: 'tree',
    covers: ['src/git/root-tree.ts#readRootTree', 'src/git/git-objects.ts#withFile'],
    seeds: TREES.map((tree) => inputOf(tree)),
    valid: fc
      .uniqueArray(
        fc.record({
          mode: fc.constantFrom('100644', '40000', '120000'),
          name: fc.stringMatching(/^[\w. -]{1,8}$/),
          id: fc.stringMatching(/^[0-9a-f]{40}$/),
        }),
        { selector: ({ name }) => name, maxLength: 6 },
      )
      .map((entries) =>
        inputOf(encodeTree(entries.map(({ mode, name, id }) => entry(mode, name, id)))),
      ),
    tokens: ['100644 metadata.json\0', '40000 ', '\0', ' ', inputOf(Buffer.from(ID, 'hex'))],
    isBytes: true,
    check: checkTree,
  }),
  pure({
    name: 'tree-listing',
    covers: ['src/git/reserved-branch.ts#parseListing'],
    seeds: [`100644 blob ${ID}\tnode.json\x00120000 blob ${OTHER}\tproofs/a/0.jsonl\0`],
    tokens: ['\0', '\t', '100644 blob ', '../', '\n'],
    isBytes: true,
    check: (input) => {
      for (const { mode, id, path } of parseListing(bytesOf(input))) {
        must(/^\d{6}$/.test(mode) && /^[0-9a-f]+$/.test(id), 'an entry has a mode and an id');
        must(path !== '' && !path.includes('\0'), 'a path is no longer than its line');
      }
    },
  }),
  pure({
    name: 'commit',
    covers: [
      'src/git/branch-reader.ts#parseCommit',
      'src/git/repository-reader.ts#readHeader',
      'src/git/repository-reader.ts#splitCommit',
    ],
    seeds: [`${COMMIT}\nmessage\n`, SIGNED],
    tokens: [
      '\n\n',
      '\n ',
      'parent ',
      'gpgsig ',
      'gpgsig-sha256 ',
      'committer ',
      ` ${identity}`,
      '\n',
      ' +0000',
    ],
    isBytes: true,
    growthLength: 128 * 1024,
    check: checkCommit,
  }),
  pure({
    name: 'signature',
    covers: ['src/git/check-signature.ts#checkSignature'],
    seeds: [SIGNATURE, RSA_SIGNATURE].map((one) => inputOf(blobOf(one))),
    tokens: [
      '\0\0\0\x07ssh-rsa',
      '\0\0\0\x0bssh-ed25519',
      '\0\0\0\x06sha256',
      '\0\0\0\x00',
      '\0\0\0\x01\x03',
      'SSHSIG\0\0\0\x01',
      '\xff\xff\xff\xff',
      '\0\0\0\x0crsa-sha2-256',
    ],
    isBytes: true,
    slower: { times: 20, reason: 'signatures are checked on threads' },
    check: checkBlob,
  }),
  pure({
    name: 'signature-armor',
    covers: ['src/git/check-signature.ts#checkSignature'],
    seeds: [SIGNATURE, SIGNATURE.trimEnd(), '-----BEGIN PGP SIGNATURE-----\n\nabc\n'],
    tokens: [
      '-----BEGIN SSH SIGNATURE-----\n',
      '-----END SSH SIGNATURE-----',
      '=',
      '\n',
      '-----',
      'U1NIU0lH',
    ],
    growthLength: 256 * 1024,
    check: async (input) => {
      const { state } = await checkSignature(input, Buffer.from('another commit'));
      must(state === 'wrong' || state === 'other-kind', 'no signature is good for another commit');
    },
  }),
  pure({
    name: 'packed-refs',
    covers: ['src/git/packed-refs.ts#applyChanges'],
    seeds: [
      PACKED,
      '# pack-refs with: peeled fully-peeled sorted \n',
      PACKED.replace(' sorted ', ''),
    ],
    tokens: [
      '\n',
      '^',
      ' ',
      `\n${ID} refs/heads/`,
      `\n^${ID}`,
      'refs/heads/nfgt-new/x',
      ' sorted ',
    ],
    isBytes: true,
    check: checkPacked,
  }),
  pure({
    name: 'cat-file',
    covers: ['src/git/object-reader.ts#ObjectReader'],
    seeds: [
      `${ID} commit 5\nhello\n${OTHER} missing\n`,
      `${ID} blob 99\n${'x'.repeat(99)}\n${OTHER} blob 0\n\n`,
    ],
    tokens: [' blob ', ' missing\n', '\n', `${ID} blob `, ' 0\n', '99999999999999999999'],
    isBytes: true,
    check: checkCatFile,
  }),
  pure({
    name: 'remote-url',
    covers: ['src/git/remote-url.ts#parseRemoteUrl'],
    seeds: [
      './beacon.git',
      'file:///srv/beacon.git',
      'ssh://git@host:22/x.git',
      'git@host:x.git',
      'https://host.example/x.git?a#b',
      '[::1]:x',
    ],
    tokens: [
      '%0a',
      '%00',
      '%2d',
      '-',
      '://',
      '::',
      '@',
      'ssh://',
      'file://',
      'https://',
      ':',
      '\\',
      '..',
      'ext::',
    ],
    maxLength: 600,
    growthLength: 8_192,
    check: checkUrl,
  }),
  pure({
    name: 'ssh-key',
    covers: ['src/git/ssh-signature.ts#signerOfKey'],
    seeds: [ED25519.privateKey, RSA.privateKey],
    tokens: [
      '-----BEGIN OPENSSH PRIVATE KEY-----',
      'Proc-Type: 4,ENCRYPTED\n',
      '-----BEGIN EC PRIVATE KEY-----\n',
      '\n',
      '=',
    ],
    slower: { times: 20, reason: 'keys are read by a library and by OpenSSL' },
    check: async (input) => {
      const signer = await signerOfKey(input);
      if ('fault' in signer) {
        must(signer.fault.length < 200, 'a fault is short, and says nothing of the key');
        return;
      }
      const { state } = await checkSignature(await signer.sign(PAYLOAD), PAYLOAD);
      must(state === 'good', 'what a key that was taken signs is a good signature');
    },
  }),
];
