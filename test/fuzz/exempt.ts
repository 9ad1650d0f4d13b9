// Readers of the program that have no fuzz target of their own, and why.
export const EXEMPT: Readonly<Record<string, string>> = {
  'src/chain/verify-well-known.ts#readWellKnown':
    'reads through a port; what it reads goes through the targets node-file, allowed-signers and reveals',
  'src/cli/vault.ts#readNewPassphrase': 'takes a line as it is',
  'src/git/branch-reader.ts#readChains':
    'reads through git; its parts are the targets cat-file, tree and commit',
  'src/git/reserved-branch.ts#readFiles': 'runs git; its part is the target tree-listing',
  'src/guyacha/load-guyacha.ts#loadGuyacha': 'reads a file and hands its text to parseGuyacha',
  'src/discord/load-commands.ts#loadCommands': 'imports our own files',
  'src/http/reader-page.ts#loadReaderPage': 'reads our own files',
  'src/shared/page/files.ts#readPageFiles': 'reads our own files',
  'src/playground/page/fields.ts#readFile': 'runs in a browser and hands a file on',
  'src/playground/page/markdown.ts#markdown': 'runs in a browser; the tests of the page hold it',
  'src/playground/request-body.ts#readBody':
    'its forms are the playground targets; multipart is the library’s',
};

/** Files that take JSON apart, and the targets that reach them there. */
export const JSON_READERS: Readonly<Record<string, string>> = {
  'src/app/settlements.ts': 'its own answer, printed by this program into an authoritative column',
  'src/chain/proofs.ts': 'reveals',
  'src/chain/record.ts': 'record',
  'src/chain/well-known.ts': 'node-file',
  'src/cli/backup-files.ts': 'backup-manifest',
  'src/db/json-column.ts': 'json-columns',
  'src/http/page/client.ts': 'runs in a browser, on answers of its own node',
  'src/http/read-json.ts': 'http-create',
  'src/operation/version.ts': 'reads our own package.json',
  'src/playground/gateway.ts': 'only the bot under test speaks to this gateway',
  'src/playground/page/client.ts': 'runs in a browser, on events of its own playground',
  'src/playground/request-body.ts': 'playground-message',
  'src/vault/recovery-entry.ts': 'recovery-line',
};
