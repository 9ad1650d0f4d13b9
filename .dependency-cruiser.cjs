// The import lines of docs/ARCHITECTURE.md, held by dependency-cruiser.
const DOMAINS = ['chain', 'ledger', 'vault', 'guyacha', 'trade'];
const domains = `^src/(${DOMAINS.join('|')})/`;

/** Files under `from` may import, of our own code, only themselves and `allowed`. */
const only = (name, from, ...allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|commands|test)/', pathNot: [from, ...allowed] },
});

/** The npm package may be imported only from its homes (and from tests). */
const fenced = (pkg, ...homes) => ({
  name: `${pkg}-has-one-home`,
  severity: 'error',
  from: { pathNot: [...homes, '^test/'] },
  to: { path: `node_modules/${pkg.replace('.', '\\.')}/` },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: { pathNot: '^test/' }, to: { circular: true } },
    // Parts of one tool may know each other's types; at run time there is no circle.
    {
      name: 'no-cycles-in-tests',
      severity: 'error',
      from: { path: '^test/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/' }, to: {} },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only('shared-imports-nothing', '^src/shared/'),
    only('config-imports-shared-only', '^src/config\\.ts$', '^src/shared/'),
    ...DOMAINS.map((d) => only(`${d}-imports-shared-only`, `^src/${d}/`, '^src/shared/')),
    only('app-imports-domains', '^src/app/', '^src/shared/', domains),
    only('git-implements-chain', '^src/git/', '^src/shared/', '^src/chain/'),
    only('db-implements-domains', '^src/db/', '^src/shared/', '^src/app/ports/', domains),
    only('discord-calls-app', '^src/discord/', '^src/shared/', '^src/app/'),
    only('http-calls-app-and-chain', '^src/http/', '^src/shared/', '^src/app/', '^src/chain/'),
    only('operation-looks-on', '^src/operation/', '^src/shared/', '^src/app/', domains),
    only('playground-stands-alone', '^src/playground/', '^src/shared/'),
    only('commands-call-discord-and-app', '^commands/', '^src/(discord|app|shared)/'),
    {
      name: 'commands-are-leaves',
      severity: 'error',
      from: { path: '^commands/' },
      to: { path: '^commands/' },
    },
    {
      name: 'nothing-imports-main',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^src/main\\.ts$' },
    },
    fenced('discord.js', '^src/discord/', '^commands/'),
    fenced('simple-git', '^src/git/'),
    fenced('sshpk', '^src/git/'),
    fenced('better-sqlite3', '^src/db/'),
    fenced('kysely', '^src/db/'),
    fenced('fastify', '^src/http/', '^src/playground/', '^src/shared/without-json-schemas\\.ts$'),
    fenced('argon2', '^src/vault/', '^src/chain/', '^src/http/'),
    fenced('age-encryption', '^src/cli/'),
    fenced('prom-client', '^src/operation/'),
    fenced('dotenv', '^src/main\\.ts$', '^src/cli/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
