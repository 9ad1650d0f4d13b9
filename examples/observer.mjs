// Mirrors a beacon and prints every change of owner as it comes, until Ctrl-C.
//
//   node observer.mjs <beacon: path or URL> <directory for the mirror>
//
// The directory holds only what comes back from the beacon: delete it whenever you like.
import { openNode } from 'aibot/node';

const [beaconUrl, dataDir] = process.argv.slice(2);
if (beaconUrl === undefined || dataDir === undefined) {
  console.error('usage: node observer.mjs <beacon> <directory>');
  process.exit(64);
}

const node = await openNode({
  beaconUrl,
  dataDir,
  nodeRole: 'observer',
  beaconSyncIntervalMs: 1_000,
});

node.on('owner-changed', ({ assetId, from, to }) => {
  console.log(from === undefined ? `${assetId}: minted by ${to}` : `${assetId}: ${from} -> ${to}`);
});

// What stood on the chain before is in the index; the listener hears of what comes from now on.
const { assets, transactions, beacon } = await node.status();
console.log(`mirroring ${beacon}: ${assets} assets, ${transactions} transactions`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => void node.close());
}
