// Makes a failing input smaller as long as it still fails: pieces are left out, then characters made plain.

const MAX_TRIES = 3_000;

/** @param fails whether an input still breaks the same rule. */
export async function shrink(
  input: string,
  fails: (candidate: string) => Promise<boolean>,
): Promise<string> {
  let best = input;
  let tries = 0;
  const isBetter = async (candidate: string): Promise<boolean> => {
    tries += 1;
    if (tries > MAX_TRIES || candidate === best || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(best.length / 2); size > 0 && tries <= MAX_TRIES;) {
    let isSmaller = false;
    for (let at = 0; at < best.length && tries <= MAX_TRIES;) {
      if (await isBetter(best.slice(0, at) + best.slice(at + size))) isSmaller = true;
      else at += size;
    }
    if (!isSmaller) size = Math.floor(size / 2);
    else size = Math.min(size, Math.ceil(best.length / 2));
  }
  for (let at = 0; at < best.length && tries <= MAX_TRIES; at += 1) {
    if (!/[a0]/.test(best.charAt(at))) await isBetter(`${best.slice(0, at)}a${best.slice(at + 1)}`);
  }
  return best;
}
