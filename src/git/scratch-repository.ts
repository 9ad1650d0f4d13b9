// The node's own bare repository: the objects of everything read and written, and the refs of one batch at a time.
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleGit } from 'simple-git';
import { quoteConfig } from './environment.ts';
import type { ObjectFormat } from './git-objects.ts';
import type { RefChange } from './packed-refs.ts';
import type { Environment } from './processes.ts';

/** The remote's name in the scratch repository: commands carry it in place of a URL that may hold credentials. */
export const REMOTE = 'beacon';
export const OUTBOX_REFSPECS = [
  'refs/outbox/heads/*:refs/heads/*',
  'refs/outbox/tags/*:refs/tags/*',
] as const;

/**
 * git refuses a push that is no fast-forward, but it would not mind a remote whose branch stands *behind* the draft's
 * parent, or is gone. This hook sees the very ids that the remote is asked to replace, and stops the push when one of
 * them is not as expected, before anything is sent. (--force-with-lease says the same, at 18 ms for every ref.)
 */
const PRE_PUSH_HOOK = `#!/bin/sh
grep -F -x -v -f "\${0%/*}/expected" >&2
test $? -eq 1
`;

/** Opens the scratch repository under the work directory, making it when it is not there or of another object format. */
export async function openScratchRepository(options: {
  readonly workDir: string;
  readonly environment: Environment;
  readonly location: string;
  readonly objectFormat: ObjectFormat;
  /** The object store of a local beacon, read in place. */
  readonly alternate: string | undefined;
}): Promise<ScratchRepository> {
  const gitDir = join(options.workDir, 'scratch.git');
  const formatFile = join(gitDir, 'aibot-format');
  if (!(await holds(formatFile, options.objectFormat))) {
    await rm(gitDir, { recursive: true, force: true });
    await simpleGit({
      baseDir: options.workDir,
      allowEnvironment: Object.keys(options.environment),
      unsafe: {
        allowUnsafeConfigPaths: true,
        allowUnsafeSshCommand: true,
        allowUnsafeTemplateDir: true,
      },
    })
      .env({ ...options.environment })
      .raw([
        'init',
        '--bare',
        '--template=',
        `--object-format=${options.objectFormat}`,
        'scratch.git',
      ]);
    await writeFile(formatFile, options.objectFormat);
  }
  const scratch = new ScratchRepository(gitDir, options.objectFormat);
  await scratch.configure(options.location, options.alternate);
  return scratch;
}

export class ScratchRepository {
  readonly gitDir: string;
  readonly objectFormat: ObjectFormat;
  /**
   * An object store with one batch and what it goes on from, and nothing else: `git push` walks from every ref of the
   * remote whose commit it finds, and here it finds few.
   */
  readonly outboxDir: string;
  private readonly hooksDir: string;

  constructor(gitDir: string, objectFormat: ObjectFormat) {
    this.gitDir = gitDir;
    this.objectFormat = objectFormat;
    this.outboxDir = join(gitDir, 'outbox');
    this.hooksDir = join(gitDir, 'aibot-hooks');
  }

  /** Writes the settings anew, so that an older version's are never left, and clears what a crash left. */
  async configure(location: string, alternate: string | undefined): Promise<void> {
    const config = scratchConfig(location, this.hooksDir, this.objectFormat);
    await replaceFile(join(this.gitDir, 'config'), config);
    await mkdir(this.hooksDir, { recursive: true });
    await writeFile(join(this.hooksDir, 'pre-push'), PRE_PUSH_HOOK, { mode: 0o755 });
    await mkdir(join(this.gitDir, 'objects', 'info'), { recursive: true });
    const alternates = join(this.gitDir, 'objects', 'info', 'alternates');
    if (alternate === undefined) await rm(alternates, { force: true });
    else await replaceFile(alternates, `${alternate}\n`);
    await this.setOutbox([]);
    await this.emptyOutbox();
    await this.removeLeftovers();
  }

  /**
   * Makes these the only refs of the repository. They are written as one `packed-refs` file: no process, one rename,
   * and whatever the batch before left is gone with it.
   */
  async setOutbox(changes: readonly RefChange[]): Promise<void> {
    const lines = changes.map(({ ref, target }) => ({ ref: outboxRef(ref), target }));
    // git searches the file by bisection over the names' bytes.
    const bytes = lines.map((line) => ({ ...line, key: Buffer.from(line.ref) }));
    bytes.sort((a, b) => Buffer.compare(a.key, b.key));
    const packed = bytes.map(({ ref, target }) => `${target} ${ref}\n`);
    const expected = changes.flatMap(({ ref, target, expected: values }) =>
      values.map(
        (value = '0'.repeat(target.length)) => `${outboxRef(ref)} ${target} ${ref} ${value}\n`,
      ),
    );
    await replaceFile(join(this.hooksDir, 'expected'), expected.join(''));
    await replaceFile(
      join(this.gitDir, 'packed-refs'),
      `# pack-refs with: peeled fully-peeled sorted \n${packed.join('')}`,
    );
  }

  /** Makes room in the outbox's object store for the next batch. */
  async emptyOutbox(): Promise<void> {
    await rm(this.outboxDir, { recursive: true, force: true });
    await mkdir(join(this.outboxDir, 'pack'), { recursive: true });
  }

  /** Takes what is in the outbox's object store over into the repository's own, where the next batch looks for parents. */
  async keepOutboxObjects(): Promise<void> {
    const from = join(this.outboxDir, 'pack');
    const to = join(this.gitDir, 'objects', 'pack');
    // The index comes last: without it git does not see a pack.
    for (const name of (await readdir(from)).toSorted().toReversed()) {
      await linkFile(join(from, name), join(to, name));
    }
  }

  /** Deletes every object of the repository's own. Only where all that matters stands in the alternate. */
  async dropObjects(): Promise<void> {
    const packDir = join(this.gitDir, 'objects', 'pack');
    await rm(packDir, { recursive: true, force: true });
    await mkdir(packDir, { recursive: true });
  }

  /** How many packs the repository has of its own. */
  async countPacks(): Promise<number> {
    return countPacks(this.gitDir);
  }

  /** Temporary files of killed processes, and loose refs, which would stand before the packed ones. */
  private async removeLeftovers(): Promise<void> {
    await rm(join(this.gitDir, 'refs', 'outbox'), { recursive: true, force: true });
    const packDir = join(this.gitDir, 'objects', 'pack');
    await mkdir(packDir, { recursive: true });
    const names = [
      ...(await readdir(packDir)).map((name) => join(packDir, name)),
      ...(await readdir(this.gitDir)).map((name) => join(this.gitDir, name)),
    ];
    const leftovers = names.filter((name) => /\/(?:tmp_|fast_import_crash_)|\.lock$/.test(name));
    for (const name of leftovers) await rm(name, { recursive: true, force: true });
  }
}

/** Where a ref of the remote waits in the outbox. */
function outboxRef(ref: string): string {
  return ref.replace(/^refs\//, 'refs/outbox/');
}

/** How many packs stand in a repository's own object store. */
export async function countPacks(gitDir: string): Promise<number> {
  const names = await readdir(join(gitDir, 'objects', 'pack'));
  return names.filter((name) => name.endsWith('.pack')).length;
}

/**
 * How a commit's author, committer and dates are written: the first nodes were free with it, and a branch that is left
 * out for that is a branch that others can read and we cannot.
 */
const HARMLESS_FAULTS = [
  'badDate',
  'badDateOverflow',
  'badEmail',
  'badName',
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
];

/**
 * `core.fsync = none`: what is written here is read again from the remote or rebuilt from the journal. Packs are never
 * unpacked, deltas are never searched for: a transaction is three small objects.
 */
function scratchConfig(location: string, hooksDir: string, objectFormat: ObjectFormat): string {
  const version = objectFormat === 'sha1' ? 0 : 1;
  return [
    '[core]',
    `\trepositoryformatversion = ${version}`,
    '\tbare = true',
    '\tfilemode = true',
    '\tfsync = none',
    '\tcompression = 1',
    `\thooksPath = ${quoteConfig(hooksDir)}`,
    ...(objectFormat === 'sha1' ? [] : ['[extensions]', '\tobjectformat = sha256']),
    `[remote "${REMOTE}"]`,
    `\turl = ${quoteConfig(location)}`,
    '\ttagOpt = --no-tags',
    '[gc]\n\tauto = 0',
    '[maintenance]\n\tauto = false',
    '[pack]\n\tthreads = 1\n\twindow = 0',
    '[fetch]\n\tunpackLimit = 1\n\twriteCommitGraph = false\n\trecurseSubmodules = false',
    '[transfer]\n\tfsckObjects = true',
    '[fetch "fsck"]',
    ...HARMLESS_FAULTS.map((fault) => `\t${fault} = ignore`),
    '[push]\n\tnegotiate = false\n\tgpgSign = false\n\trecurseSubmodules = no',
    '[advice]\n\tpushUpdateRejected = false',
    '',
  ].join('\n');
}

async function replaceFile(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Gives a file a second name; a batch that is tried again has that name already. */
async function linkFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function holds(file: string, content: string): Promise<boolean> {
  try {
    return (await readFile(file, 'utf8')) === content;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
