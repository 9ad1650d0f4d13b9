// Makes docs/verification.md from the tables of kinds, so that the two cannot drift apart.
import { FINDING_KINDS, NOTE_KINDS } from '../../src/chain/verify-kinds.ts';

const HEAD = `# Verification

\`npx aibot verify BEACON\` holds a whole beacon chain to the format, whoever wrote it. BEACON is a path, which is read in
place and never written to, or any URL that \`BEACON_URL\` takes, of which the objects are copied to a temporary directory;
\`BEACON_SSH_KEY\`, \`BEACON_SSH_KEY_FILE\` and \`BEACON_KNOWN_HOSTS_FILE\` open it as they open it for the node. Nothing
that the repository says of itself is believed: not its settings, replacements, grafts or commit-graph.

| option | |
| --- | --- |
| \`--epoch-branch NAME\` | where every chain starts; \`BEACON_EPOCH_BRANCH\` by default |
| \`--json\` | one JSON document in place of the report for people |
| \`--max-findings N\` | how many findings, and how many notes, are named (100); all are counted |

It exits with 0 when the chain is clean, 65 when something is off, 69 when the beacon cannot be reached, 78 when the
arguments cannot be read. Each finding names its kind, its branch and its commit. A commit that several branches hold is
judged once, on the branch that its record names.

“Signed” counts the transactions' commits that carry a signature. An ssh signature by an Ed25519 key, or an RSA key of at
least 2,048 bits, is held against the commit, and its key against \`allowed_signers\` on the branch \`well-known\`: it must be
listed there for the commit's committer, on a line of the form \`ID KEY\` or \`ID namespaces="git" KEY\`. Signatures of other
kinds are counted as not checked, and so are all good ones while the list cannot be read. No signature is no error. The
commits of \`well-known\` itself, the newest 1,000, are held to the same rule and not counted.

“Proven” counts the hand-overs (every transaction that has a predecessor) of which a passphrase stands in
\`proofs/*/*.jsonl\` on \`well-known\` that answers the predecessor's SHA-512 successor hash and that the record committed to
when it was written. “Not proven” is no error: nothing is revealed before the hand-over is committed, and other programs
reveal nothing. “Not provable” are those after an argon2 hash, whose passphrase is never revealed.

Who may push may also write on \`well-known\`. The list says that one key stands behind one id, not whose key that is:
compare it with keys that you got from the validators themselves.

This page is made from \`src/chain/verify-kinds.ts\` by \`UPDATE_DOCS=1 npm test -- test/docs\` and checked by that test.
`;

/** The whole text of docs/verification.md. */
export function verificationDocument(): string {
  return [
    HEAD,
    '## Findings\n\nEach breaks the format.\n',
    table(FINDING_KINDS),
    '\n## Notes\n\nUnusual, but within the rules.\n',
    table(NOTE_KINDS),
    '',
  ].join('\n');
}

function table(
  kinds: Readonly<Record<string, { readonly meaning: string; readonly remedy: string }>>,
): string {
  const rows = Object.entries(kinds).map(
    ([kind, { meaning, remedy }]) => `| \`${kind}\` | ${meaning} | ${remedy} |`,
  );
  return ['| kind | meaning | what to do |', '| --- | --- | --- |', ...rows].join('\n');
}
