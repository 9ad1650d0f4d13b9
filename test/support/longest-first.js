// Starts the longest test files first, so that the last minutes of a run do not wait for one of them alone.
import TestSequencer from '@jest/test-sequencer';

const LONGEST = ['chaos', 'simulator', 'fuzz', 'soak', 'crash', 'cli', 'security'];

export default class LongestFirst extends TestSequencer {
  /** By folder, and among equals as jest would: what took longest before, or is the largest file, comes first. */
  sort(tests) {
    const rank = ({ path }) => {
      const place = LONGEST.findIndex((folder) => path.includes(`/test/${folder}/`));
      return place === -1 ? LONGEST.length : place;
    };
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
