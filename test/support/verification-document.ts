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

“Signed” counts the commits that carry a signature; it is not checked yet. “Could not be proven” counts the
transactions with a predecessor: that whoever made them knew the passphrase is only the validator's word so far. Neither
is an error.

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
