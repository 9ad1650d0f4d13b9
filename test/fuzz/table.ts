// Every fuzz target, and the reasons of what has none.
import { chainTargets } from './targets/chain.ts';
import { fileTargets } from './targets/files.ts';
import { gitTargets } from './targets/git.ts';
import { judgeTargets } from './targets/judges.ts';
import { serverTargets } from './targets/servers.ts';
import { settingTargets } from './targets/settings.ts';
import type { Target } from './target.ts';

export const TARGETS: readonly Target[] = [
  ...chainTargets,
  ...gitTargets,
  ...settingTargets,
  ...fileTargets,
  ...serverTargets,
  ...judgeTargets,
];
