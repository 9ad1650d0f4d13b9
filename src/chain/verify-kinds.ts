// Everything that a verification can find: stable names, what each means, and what to do about it.

interface KindDefinition {
  readonly meaning: string;
  readonly remedy: string;
}

const define = (meaning: string, remedy: string): KindDefinition => ({ meaning, remedy });

/** What is off: each breaks the format, and a node skips the transaction or the branch. */
// prettier-ignore
export const FINDING_KINDS = {
  // branches
  'merge-commit': define('A commit has more than one parent.', 'Find out who pushed it. Nodes skip the transaction; those after it stand.'),
  'unrelated-root': define('The branch does not go back to the epoch branch but to another first commit.', 'Nobody can say what the asset is. Ask the validator that pushed the branch.'),
  'foreign-start': define('The branch starts off the interaction chain of another asset in place of the epoch branch.', 'Nodes skip the asset. The first commit named must be pushed anew, on the epoch, under a new asset id.'),
  'empty-branch': define('The branch has no commit of its own: it stands on the epoch or on another asset\'s commit.', 'It holds no transaction. Delete the branch if nobody knows it.'),
  'nested-branch': define('The branch\'s name lies under another asset\'s branch, so that git on most machines can hold only one of the two.', 'Clones lose one of them. Keep the one that has transactions.'),
  'branch-not-text': define('The branch\'s name is not UTF-8, so no record can name its asset.', 'Delete the branch: no node can serve it.'),
  'object-unreadable': define('A commit, tree or record that the branch needs is missing, broken or of another type.', 'Restore the object from any clone or node that has it: `git fsck` on the beacon names more.'),
  // records
  'record-missing': define('The commit has no `metadata.json`.', 'Nodes skip the commit. Find out who pushed it.'),
  'record-not-a-file': define('`metadata.json` is a link, a submodule, a directory or a file of another mode than 100644.', 'Nodes may read it differently. Find out who pushed it.'),
  'record-too-large': define('The record is larger than 65,536 bytes.', 'Nodes skip the transaction. Find out who pushed it.'),
  'record-malformed': define('The record is not JSON of the format: the detail says where.', 'Nodes skip the transaction. Find out who pushed it.'),
  'asset-mismatch': define('The record names another asset than its branch.', 'Nodes skip the transaction. A branch was renamed, or a record copied.'),
  'message-mismatch': define('The commit message is not the SHA-512 of the record: one of them was changed.', 'Nodes skip the transaction. Compare the commit with another node\'s clone.'),
  'transaction-id-reused': define('An earlier transaction has the same id.', 'Nodes take the first and skip this one.'),
  'time-backwards': define('The transaction\'s time lies before that of the transaction that it follows.', 'A validator\'s clock was wrong, or a record is forged. Histories sort it wrongly.'),
  'successor-hash-form': define('The successor hash is neither SHA-512 hex nor an argon2 PHC string.', 'Nobody can present a passphrase for it: the asset is stuck there.'),
  'successor-hash-reused': define('An earlier transaction has the same successor hash.', 'Whoever knows that passphrase can move both. Move the asset on at once.'),
  // trees
  'file-added': define('The commit adds a file that is not `metadata.json`.', 'Look at the file. Every later transaction of the asset carries it along.'),
  'file-removed': define('The commit removes a file that its parent has.', 'Look at who pushed it. Later transactions of the asset lack the file.'),
  'file-changed': define('The commit changes a file other than `metadata.json`.', 'Look at the file. Every later transaction of the asset carries it along.'),
  // tags
  'tag-missing': define('No tag stands on the transaction: it is not committed.', 'A push broke half-way, or the tag was deleted. The validator that pushed it completes it; else set the tag.'),
  'tag-misplaced': define('The transaction\'s tag stands on another commit.', 'A tag was moved. Set it back to the commit named.'),
  'tag-not-on-commit': define('The transaction\'s tag stands on something that is no commit, or on nothing.', 'A tag was moved. Set it back to the commit named.'),
  'tag-misnamed': define('The only tag on the transaction is not named by its id.', 'The transaction is not committed. Set a tag of the right name.'),
  'second-tag': define('A further tag stands on the transaction beside its own.', 'It commits nothing. Delete it.'),
  'stray-tag': define('A tag is no transaction\'s id and stands on no transaction.', 'It commits nothing. Delete it, or look for the branch that was deleted.'),
  // signatures and proofs
  'signature-wrong': define('The commit\'s ssh signature does not fit the commit: it has another form, is for something else than git, or is of other content.', 'The commit was changed after it was signed, or the signature was copied. Compare it with another node\'s clone.'),
  'signer-unlisted': define('The signature fits, but its key is not listed for the commit\'s committer in `allowed_signers` on the branch `well-known`.', 'Ask the validator of that id for its key. A validator lists itself when it starts; a list that was cut short is written again then.'),
  'reveal-wrong': define('A passphrase revealed on `well-known` does not fit the transaction: not its predecessor\'s successor hash, or not the `predecessor_proof` of its record.', 'It proves nothing. The detail names its file and line: look at who pushed that.'),
  'reveal-unknown': define('A passphrase was revealed for a transaction that is not on the chain, is another asset\'s, or has no predecessor.', 'It proves nothing. Look for a branch that was deleted or set back, or at who pushed the file.'),
  'well-known-broken': define('`node.json`, `allowed_signers` or a file of proofs on the branch `well-known` cannot be read: the detail says why.', 'Restore the file from an earlier commit of the branch. Whoever pushed it broke it.'),
} as const satisfies Record<string, KindDefinition>;

/** What is unusual and breaks nothing. */
// prettier-ignore
export const NOTE_KINDS = {
  'other-branch': define('The branch is neither the epoch branch, nor reserved, nor an asset.', 'Nodes leave it alone.'),
  'reserved-asset-id': define('The asset\'s id is a reserved name.', 'Our nodes read it but make none.'),
  'asset-id-with-slash': define('The asset\'s id has a slash.', 'Our nodes read it but make none; some HTTP clients cannot ask for it.'),
  'author-form': define('Author and committer are not one short id as name and e-mail.', 'The commit was made by hand or by another program.'),
  'commit-date-backwards': define('The commit\'s date lies before its parent\'s.', 'A validator\'s clock was set back. The record\'s time is what counts.'),
} as const satisfies Record<string, KindDefinition>;

export type FindingKind = keyof typeof FINDING_KINDS;
export type NoteKind = keyof typeof NOTE_KINDS;
