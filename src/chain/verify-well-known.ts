// Reads the reserved branch for a verification: whose keys may sign, and which passphrases are revealed.
import { isUtf8 } from 'node:buffer';
import type { CommitId } from '../shared/ids.ts';
import { isProofFile, parseRevealLines, type Reveal } from './proofs.ts';
import { RESERVED_BRANCH } from './refs.ts';
import { digestCommit, type CommitFacts } from './verify-commits.ts';
import type { FindingKind } from './verify-kinds.ts';
import type { RemarkList } from './verify-report.ts';
import type { SourceFile, VerifySource } from './verify-source.ts';
import {
  MAX_WELL_KNOWN_BYTES,
  NODE_FILE,
  parseNodeFile,
  parseSigners,
  SIGNERS_FILE,
  type AllowedSigner,
} from './well-known.ts';

/** What the branch says; nothing of it is taken for true. */
export interface WellKnown {
  readonly tip: CommitId;
  /** Its newest commits that are not the epoch's. */
  readonly commits: readonly CommitFacts[];
  /** Undefined when the list is there and cannot be read as a whole: who is not on it is then not known. */
  readonly signers: readonly AllowedSigner[] | undefined;
  readonly reveals: readonly PlacedReveal[];
}

/** A reveal, and where it stands. */
export interface PlacedReveal extends Reveal {
  /** File and line, for people. */
  readonly place: string;
}

/** Older commits of the branch than these are not looked at: who may push can make it as long as he likes. */
const MAX_COMMITS = 1_000;
/** Files read in one exchange: with the limit of each, what is in memory at once is bounded. */
const FILES_PER_READ = 32;
/** More reveals than this are more than a chain can use, so the rest is not read. */
const MAX_REVEALS = 1_000_000;

/** Reads the branch and adds what cannot be read of it to the findings; undefined when there is none. */
export async function readWellKnown(
  source: VerifySource,
  isEpoch: (commitId: CommitId) => boolean,
  findings: RemarkList<FindingKind>,
): Promise<WellKnown | undefined> {
  const tip = source.branches.find(({ name }) => name === RESERVED_BRANCH)?.target;
  if (tip === undefined) return undefined;
  const commits = await readHistory(source, tip, isEpoch);
  const files = await source.listFiles(tip);
  if (commits === undefined || typeof files === 'string') {
    const detail = typeof files === 'string' ? files : 'its history cannot be read';
    findings.add('object-unreadable', RESERVED_BRANCH, tip, detail);
    return { tip, commits: commits ?? [], signers: undefined, reveals: [] };
  }
  const addBroken = (path: string, fault: string): void =>
    findings.add('well-known-broken', RESERVED_BRANCH, tip, `${path}: ${fault}`);
  await checkNodeFile(source, files, addBroken);
  const signers = await readSigners(source, files, addBroken);
  const reveals = await readReveals(source, files, addBroken);
  return { tip, commits, signers, reveals };
}

/** Undefined when one of the commits is missing or broken. */
async function readHistory(
  source: VerifySource,
  tip: CommitId,
  isEpoch: (commitId: CommitId) => boolean,
): Promise<CommitFacts[] | undefined> {
  const { commits, isWhole } = await source.readAncestors(tip, MAX_COMMITS);
  if (!isWhole) return undefined;
  const own = [...commits].filter((commitId) => !isEpoch(commitId));
  const facts: CommitFacts[] = [];
  for (const commit of await source.readCommits(own)) {
    if (typeof commit === 'string') return undefined;
    facts.push(digestCommit(commit));
  }
  return facts;
}

type AddBroken = (path: string, fault: string) => void;

async function checkNodeFile(
  source: VerifySource,
  files: readonly SourceFile[],
  addBroken: AddBroken,
): Promise<void> {
  const [file] = await readChosen(source, files, (path) => path === NODE_FILE, addBroken);
  if (file?.bytes === undefined) return;
  const read = parseNodeFile(file.bytes);
  if ('fault' in read) addBroken(NODE_FILE, read.fault);
}

async function readSigners(
  source: VerifySource,
  files: readonly SourceFile[],
  addBroken: AddBroken,
): Promise<readonly AllowedSigner[] | undefined> {
  const [file] = await readChosen(source, files, (path) => path === SIGNERS_FILE, addBroken);
  if (file === undefined) return [];
  if (file.bytes === undefined) return undefined;
  const { signers, fault } = parseSigners(file.bytes);
  if (fault === undefined) return signers;
  addBroken(SIGNERS_FILE, fault);
  return undefined;
}

async function readReveals(
  source: VerifySource,
  files: readonly SourceFile[],
  addBroken: AddBroken,
): Promise<PlacedReveal[]> {
  const proofFiles = files.filter(({ path }) => isProofFile(path));
  const reveals: PlacedReveal[] = [];
  for (let at = 0; at < proofFiles.length; at += FILES_PER_READ) {
    const some = proofFiles.slice(at, at + FILES_PER_READ);
    for (const { path, bytes } of await readChosen(source, some, () => true, addBroken)) {
      if (bytes === undefined) continue;
      const lines = isUtf8(bytes) ? parseRevealLines(bytes) : [undefined];
      const bad = lines.indexOf(undefined);
      if (bad !== -1) addBroken(path, `line ${bad + 1} is no reveal`);
      for (const [index, reveal] of lines.entries()) {
        if (reveal !== undefined) reveals.push({ ...reveal, place: `${path} line ${index + 1}` });
      }
      if (reveals.length > MAX_REVEALS) {
        addBroken(path, 'it and the files after it hold more reveals than are read');
        return reveals;
      }
    }
  }
  return reveals;
}

/** Reads the files of these paths; one that is no regular file, too large or unreadable is said and has no bytes. */
async function readChosen(
  source: VerifySource,
  files: readonly SourceFile[],
  wants: (path: string) => boolean,
  addBroken: AddBroken,
): Promise<{ readonly path: string; readonly bytes: Buffer | undefined }[]> {
  const chosen = files.filter(({ path }) => wants(path));
  const regular = chosen.filter(({ isRegular }) => isRegular);
  const contents = await source.readFiles(regular, MAX_WELL_KNOWN_BYTES);
  const bytesOf = new Map(regular.map((file, index) => [file, contents[index]]));
  return chosen.map((file) => {
    const { path, isRegular } = file;
    const bytes = bytesOf.get(file);
    if (!isRegular) addBroken(path, 'it is no regular file');
    else if (bytes === undefined) {
      addBroken(path, `it cannot be read, or is larger than ${MAX_WELL_KNOWN_BYTES} bytes`);
    }
    return { path, bytes };
  });
}
