// Both beacons, and git over both kinds of transport, keep the contract.
import { describe, expect, test } from '@jest/globals';
import { signerOfSeed } from '../../src/git/ssh-signature.ts';
import { describeBeaconContract, makeDraft } from '../support/beacon-contract.ts';
import { gitFixture, sshFixture } from '../support/beacon-git.ts';
import { MemoryBeacon, memoryFixture } from '../support/beacon-memory.ts';

describeBeaconContract('a git beacon in a directory', gitFixture);

describeBeaconContract('a git beacon behind ssh that signs its commits', () => {
  const fixture = sshFixture();
  const signer = signerOfSeed(Buffer.alloc(32, 'seed'));
  return { ...fixture, open: (options) => fixture.open({ ...options, signer }) };
});

describeBeaconContract('a beacon in memory', memoryFixture);

describe('a beacon in memory fails as it is told', () => {
  test('a lost answer leaves the batch on the remote, a cut connection does not', async () => {
    const beacon = new MemoryBeacon();
    const [lost, cut] = [makeDraft(beacon.epoch), makeDraft(beacon.epoch)];
    beacon.remote.failPushes({ kind: 'lose-answer' }, { kind: 'cut' });
    const results = [await beacon.push([lost]), await beacon.push([cut])];
    expect(results.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown']);
    expect([...beacon.remote.tags.keys()]).toEqual([lost.transactionId]);
  });

  test('a refusal passes its reason on and writes nothing', async () => {
    const beacon = new MemoryBeacon();
    beacon.remote.failPushes({ kind: 'refuse', reason: 'a hook said no', retryable: false });
    await expect(beacon.push([makeDraft(beacon.epoch)])).resolves.toEqual({
      outcome: 'refused',
      stale: [],
      reason: 'a hook said no',
      retryable: false,
    });
    expect(beacon.remote.tags.size).toBe(0);
  });

  test('an unreachable remote answers nothing', async () => {
    const beacon = new MemoryBeacon();
    beacon.remote.unreachable = true;
    await expect(beacon.advertise()).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
    await expect(beacon.push([makeDraft(beacon.epoch)])).resolves.toMatchObject({
      outcome: 'refused',
      retryable: true,
    });
  });
});
