// Draws what a lookup found: an asset, an owner or a transaction.
import type { ErrorCode } from '../../shared/errors.ts';
import { h } from '../../shared/page/dom.ts';
import { HISTORY_DEPTH, type ChainRecord, type Found } from './client.ts';
import { facts, listOf, nothing, part } from './lists.ts';
import { count, foreign, lookupLink, moment, visible } from './text.ts';

/** The elements under the heading. */
export function drawFound(found: Found): HTMLElement[] {
  switch (found.kind) {
    case 'asset':
      return drawAsset(found.history);
    case 'owner':
      return drawOwner(found.assets, found.history);
    case 'transaction':
      return drawTransaction(found);
  }
}

function drawAsset(history: readonly ChainRecord[]): HTMLElement[] {
  const [tip] = history;
  if (tip === undefined) {
    return [
      nothing(
        'This node knows no asset of this id. It was never minted, or its first transaction is not committed yet.',
      ),
    ];
  }
  return [
    facts([
      ['Owner', lookupLink({ kind: 'owner', id: tip.owner_id })],
      ['Chain', `${lengthOf(history)}, the newest ${words(history, 0)}`],
      ['Since', moment(tip.transaction_time)],
      ['Transaction', lookupLink({ kind: 'transaction', id: tip.transaction_id })],
    ]),
    part('Metadata', metadataOf(tip)),
    part(
      'History, newest first',
      listOf(
        history.map((_, index) => index),
        (index) => drawStep(history, index),
      ),
    ),
  ];
}

function drawStep(history: readonly ChainRecord[], index: number): HTMLElement {
  const record = history[index];
  if (record === undefined) return h('div');
  const place = history.length >= HISTORY_DEPTH ? '' : `${history.length - index}. `;
  return h(
    'article',
    {},
    h(
      'p',
      {},
      h('strong', {}, `${place}${words(history, index)}`),
      ' ',
      moment(record.transaction_time),
    ),
    h('p', {}, 'to ', lookupLink({ kind: 'owner', id: record.owner_id })),
    h('p', {}, 'transaction ', lookupLink({ kind: 'transaction', id: record.transaction_id })),
    h('details', {}, h('summary', {}, 'Metadata'), metadataOf(record)),
  );
}

/** What a step did to the asset: only the whole chain tells a mint. */
function words(history: readonly ChainRecord[], index: number): string {
  const before = history[index + 1];
  if (before === undefined) return history.length >= HISTORY_DEPTH ? 'transaction' : 'mint';
  return before.owner_id === history[index]?.owner_id ? 'amendment' : 'hand-over';
}

function lengthOf(history: readonly ChainRecord[]): string {
  const more = history.length >= HISTORY_DEPTH ? 'at least ' : '';
  return `${more}${count(history.length, 'transaction')}`;
}

function drawOwner(assets: readonly ChainRecord[], history: readonly ChainRecord[]): HTMLElement[] {
  if (history.length === 0) {
    return [nothing('This node knows no owner of this id: nothing on the chain was ever theirs.')];
  }
  return [
    facts([
      ['Owns', count(assets.length, 'asset')],
      ['History', lengthOf(history)],
    ]),
    part(
      'Owns now, newest first',
      assets.length === 0
        ? nothing('Nothing now: all that was theirs has gone to others.')
        : listOf(assets, drawReceived),
    ),
    part('History, newest first', listOf(history, drawReceived)),
  ];
}

function drawReceived(record: ChainRecord): HTMLElement {
  return h(
    'article',
    {},
    h('p', {}, lookupLink({ kind: 'asset', id: record.asset_id })),
    h('p', {}, moment(record.transaction_time)),
    h('p', {}, 'transaction ', lookupLink({ kind: 'transaction', id: record.transaction_id })),
  );
}

function drawTransaction({
  status,
  record,
}: Extract<Found, { kind: 'transaction' }>): HTMLElement[] {
  if (record !== null) {
    return [
      facts([
        ['Status', badge('committed', 'good')],
        ['Asset', lookupLink({ kind: 'asset', id: record.asset_id })],
        ['Owner from then on', lookupLink({ kind: 'owner', id: record.owner_id })],
        ['Time', moment(record.transaction_time)],
        ['Successor hash', h('span', { class: 'id' }, foreign(record.successor_hash))],
      ]),
      part('Metadata', metadataOf(record)),
      part('Record', recordText(record)),
    ];
  }
  if (status.rejected) {
    return [
      facts([
        ['Status', badge('rejected', 'bad')],
        ['Reason', status.reason === undefined ? 'not known' : reasonOf(status.reason)],
      ]),
      nothing('It was refused for good and changed nothing. It can no longer reach the chain.'),
    ];
  }
  if (status.committed) {
    return [
      facts([['Status', badge('committed', 'good')]]),
      nothing('The node has it, but could not show its record just now. Look again.'),
    ];
  }
  return [
    facts([['Status', badge('not committed', 'open')]]),
    nothing(
      'It is pending here, or this node does not know it. Should it be committed or rejected while you look, this page says so.',
    ),
  ];
}

/** Why the node gives a transaction up for good, in words beside the code. */
const REASONS: Readonly<Partial<Record<string, string>>> = {
  BEACON_REFUSED: 'the beacon refused to take it',
  CHAIN_ADVANCED: 'another transaction of the asset reached the chain first',
} satisfies Partial<Record<ErrorCode, string>>;

function reasonOf(code: string): HTMLElement {
  const words = REASONS[code];
  return h('span', {}, foreign(code), words !== undefined && `: ${words}`);
}

/** A state in a word. */
export function badge(word: string, tone: 'good' | 'bad' | 'open'): HTMLElement {
  return h('span', { class: `badge ${tone}` }, word);
}

function metadataOf({ metadata }: ChainRecord): HTMLElement {
  if (metadata === null || metadata === undefined) return nothing('None.');
  return json(metadata);
}

function recordText(record: ChainRecord): HTMLElement {
  return h('details', {}, h('summary', {}, 'As it stands on the chain'), json(record));
}

function json(value: unknown): HTMLElement {
  const text = JSON.stringify(value, undefined, 2);
  return h('pre', { tabindex: 0, dir: 'ltr' }, visible(text));
}
