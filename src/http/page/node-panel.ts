// Draws what the node says of itself.
import { h } from '../../shared/page/dom.ts';
import type { NodeStatus } from './client.ts';
import { badge } from './found.ts';
import { facts, listOf, nothing, part } from './lists.ts';
import { ago, digits, foreign, lookupLink, moment } from './text.ts';

const ROLES: Readonly<Record<NodeStatus['role'], string>> = {
  validator: 'takes transactions and writes them to the beacon',
  observer: 'reads the beacon and writes nothing',
};

/** Everything under the heading "This node". */
export function drawNode(status: NodeStatus): HTMLElement[] {
  const { bot_owner_id: bot, faults, role, rewritten } = status;
  return [
    h(
      'ul',
      { class: 'figures' },
      figure(status.assets, 'asset'),
      figure(status.transactions, 'transaction'),
      figure(status.pending, 'pending', 'pending'),
      figure(faults.length, 'fault'),
    ),
    facts([
      ['Role', h('span', {}, badge(role, 'good'), ` ${ROLES[role]}`)],
      ...(rewritten === null ? [] : [['Writing', drawStop(rewritten)] as const]),
      ['Beacon', foreign(status.beacon)],
      ['Epoch branch', foreign(status.epoch_branch)],
      ['Last sync', h('span', { id: 'last-sync' }, drawLastSync(status))],
      ...(bot === null
        ? []
        : [['The bot’s assets', lookupLink({ kind: 'owner', id: bot })] as const]),
    ]),
    part('Faults on the chain', drawFaults(faults)),
    part('How it came to its role', drawRoleEvents(status.role_events)),
  ];
}

/** Since when nothing is written, and why what the page shows is older than the beacon. */
function drawStop({ since }: NonNullable<NodeStatus['rewritten']>): HTMLElement {
  const why = 'The beacon’s chain was rewritten; this page shows what the node knew before.';
  return h('span', {}, badge('stopped', 'bad'), ' since ', moment(since), ` ${why}`);
}

/** When the node last heard the beacon; it changes all the time while nothing else does. */
export function drawLastSync({ last_sync_time: at }: NodeStatus): Node {
  return at === null ? document.createTextNode('not yet') : ago(at);
}

function figure(number: number, thing: string, plural = `${thing}s`): HTMLElement {
  return h('li', {}, h('strong', {}, digits(number)), ` ${number === 1 ? thing : plural}`);
}

function drawFaults(faults: NodeStatus['faults']): HTMLElement {
  if (faults.length === 0) return nothing('None: everything on the beacon keeps the format.');
  return h(
    'div',
    {},
    nothing('These commits break the format. The node skips them and reads on.'),
    listOf(faults, ({ branch, commit_id: commit, fault }) =>
      h(
        'article',
        {},
        h('p', {}, foreign(fault)),
        h('p', {}, 'branch ', h('span', { class: 'id' }, foreign(branch))),
        h('p', {}, 'commit ', h('span', { class: 'id' }, foreign(commit))),
      ),
    ),
  );
}

function drawRoleEvents(events: NodeStatus['role_events']): HTMLElement {
  if (events.length === 0) return nothing('Nothing has been written down yet.');
  return listOf(events, ({ role, reason, time }) =>
    h(
      'article',
      {},
      h('p', {}, h('strong', {}, role), ' ', moment(time)),
      h('p', {}, foreign(reason)),
    ),
  );
}
