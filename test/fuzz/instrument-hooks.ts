// A loader hook of node: puts istanbul's counters into the built code of the program while it is loaded.
import { createInstrumenter } from 'istanbul-lib-instrument';
import type { InitializeHook, LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';

const instrumenter = createInstrumenter({ esModules: true, compact: true });
let counted: readonly string[] = [];

/** @param files the files that count, without their extension. */
export const initialize: InitializeHook<readonly string[]> = (files) => {
  counted = files;
};

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (!counted.some((file) => url.endsWith(`/dist/${file}.js`))) return loaded;
  if (loaded.source === undefined) return loaded;
  const code = Buffer.from(loaded.source as Uint8Array).toString('utf8');
  return { ...loaded, source: instrumenter.instrumentSync(code, fileURLToPath(url)) };
};
