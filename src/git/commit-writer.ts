// Makes commits through one long-lived `git fast-import`.
import type { ChildProcess } from 'node:child_process';
import type { CommitDraft } from '../chain/beacon.ts';
import { recordDigest } from '../chain/record.ts';
import { isCommitId, type CommitId, type TransactionId } from '../shared/ids.ts';
import { collectStderr, terminate, type Environment, type ProcessPool } from './processes.ts';

const TIMEOUT_MS = 60_000;
const END_OF_BATCH = 'progress end\n';
/** Never written: it is reset before each checkpoint, so fast-import has no ref to update. */
const SCRATCH_REF = 'refs/scratch';

/**
 * Writes the drafts' commits, trees and blobs into the object store of one repository; it touches no ref. The process
 * stays between batches, which saves its start and git's look at the object store each time.
 */
export class CommitWriter {
  private readonly pool: ProcessPool;
  private readonly gitDir: string;
  private readonly environment: Environment;
  private child: ChildProcess | undefined;
  private stderr: () => string = () => '';

  constructor(pool: ProcessPool, gitDir: string, environment: Environment) {
    this.pool = pool;
    this.gitDir = gitDir;
    this.environment = environment;
  }

  /**
   * Writes one batch; every parent must be a commit in the object store. Not to be called twice at the same time.
   * @throws Error when git fails; nothing but unreferenced objects may have been written then.
   */
  async write(drafts: readonly CommitDraft[]): Promise<Map<TransactionId, CommitId>> {
    const answer = await this.exchange(Buffer.concat([...drafts.flatMap(commitCommands), END]), [
      ...drafts.map((_, index) => `get-mark :${index + 1}\n`),
      `checkpoint\n${END_OF_BATCH}`,
    ]);
    const ids = answer.split('\n').slice(0, drafts.length);
    const commits = new Map<TransactionId, CommitId>();
    for (const [index, draft] of drafts.entries()) {
      const id = ids[index] ?? '';
      if (!isCommitId(id)) throw new Error(`git fast-import gave no id but ${JSON.stringify(id)}`);
      commits.set(draft.transactionId, id);
    }
    return commits;
  }

  /** Ends the process, so that it lets go of the packs it wrote; the next batch starts another. */
  async rest(): Promise<void> {
    const child = this.runningChild();
    this.child = undefined;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
    });
    child.stdin?.end('done\n');
    const timer = setTimeout(() => terminate(child), TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  private exchange(commands: Buffer, questions: readonly string[]): Promise<string> {
    const child = this.runningChild() ?? this.startChild();
    this.child = child;
    return new Promise((resolve, reject) => {
      let answer = '';
      const onData = (chunk: Buffer): void => {
        answer += chunk.toString('latin1');
        if (!answer.endsWith(END_OF_BATCH)) return;
        leave();
        resolve(answer);
      };
      const onClose = (): void => {
        leave();
        if (this.child === child) this.child = undefined;
        reject(new Error(`git fast-import ended: ${this.stderr().trim()}`));
      };
      const timer = setTimeout(() => terminate(child), TIMEOUT_MS);
      const leave = (): void => {
        clearTimeout(timer);
        child.stdout?.off('data', onData);
        child.off('close', onClose);
      };
      child.stdout?.on('data', onData);
      child.once('close', onClose);
      child.stdin?.write(commands);
      child.stdin?.write(questions.join(''));
    });
  }

  private runningChild(): ChildProcess | undefined {
    const running = this.child?.exitCode === null && this.child.signalCode === null;
    return running ? this.child : undefined;
  }

  private startChild(): ChildProcess {
    const args = ['fast-import', '--quiet', '--done', '--date-format=raw'];
    const child = this.pool.start(args, { cwd: this.gitDir, environment: this.environment });
    this.stderr = collectStderr(child);
    return child;
  }
}

const END = Buffer.from(`reset ${SCRATCH_REF}\n\n`);

/** The fast-import commands of one commit: the parent's tree with `metadata.json` replaced. */
function commitCommands(draft: CommitDraft, index: number): Buffer[] {
  const { committer, commitTimeSeconds, parent, record } = draft;
  const message = recordDigest(record);
  const head = [
    `commit ${SCRATCH_REF}`,
    `mark :${index + 1}`,
    `committer ${committer} <${committer}> ${commitTimeSeconds} +0000`,
    `data ${message.length}`,
    message,
    `from ${parent}`,
    'M 100644 inline metadata.json',
    `data ${record.length}\n`,
  ].join('\n');
  return [Buffer.from(head), record, Buffer.from('\n\n')];
}
