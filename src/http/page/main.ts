// The page for readers: what the node is, and what it knows of an asset, an owner or a transaction.
import { byId, h } from '../../shared/page/dom.ts';
import { refreshTimes } from '../../shared/page/relative-time.ts';
import { addressOf, LOOKUP_KINDS, readAddress, type Lookup } from './address.ts';
import { askNode, lookUp, Refused, type NodeStatus } from './client.ts';
import { drawFound } from './found.ts';
import { nothing } from './lists.ts';
import { drawLastSync, drawNode } from './node-panel.ts';
import { foreign, visible } from './text.ts';

const REFRESH_MS = 4_000;
const TIMES_MS = 1_000;
const TITLE = 'NFGT node';

const connection = byId('connection', HTMLElement);
const form = byId('lookup', HTMLFormElement);
const kindField = byId('kind', HTMLSelectElement);
const idField = byId('id', HTMLInputElement);
const section = byId('found', HTMLElement);
const heading = byId('found-title', HTMLElement);
const body = byId('found-body', HTMLElement);
const nodeBody = byId('node-body', HTMLElement);

/** What is drawn now, as text: what did not change is not drawn again, so that nothing moves under a reader's eyes. */
const drawn = { node: '', found: '' };
/** Counts lookups, so that a late answer to an earlier one is not shown. */
let lookups = 0;

/** Shows what the address bar says; `moveFocus` when the reader has just asked for it. */
async function show(moveFocus: boolean): Promise<void> {
  const lookup = readAddress(location.hash);
  lookups += 1;
  const mine = lookups;
  section.hidden = lookup === undefined;
  if (lookup === undefined) {
    document.title = TITLE;
    idField.value = '';
    return;
  }
  if (lookup === 'unreadable') {
    heading.textContent = 'This address cannot be read';
    drawBody('unreadable', [nothing('Use the form above: it writes the address for you.')]);
    return;
  }
  if (moveFocus) announce(lookup);
  try {
    const found = await lookUp(lookup);
    if (mine === lookups) drawBody(JSON.stringify([lookup, found]), drawFound(found));
  } catch (error) {
    if (mine === lookups) drawFailure(error, moveFocus);
  }
}

function announce({ kind, id }: Lookup): void {
  kindField.value = kind;
  idField.value = id;
  document.title = `${visible(id).slice(0, 60)} – ${TITLE}`;
  heading.replaceChildren(`${kind.slice(0, 1).toUpperCase()}${kind.slice(1)} `, foreign(id));
  drawBody('', [nothing('Asking the node…')]);
  heading.focus();
}

function drawFailure(error: unknown, isFirst: boolean): void {
  if (error instanceof Refused) {
    drawBody(error.message, [h('p', { class: 'failed' }, foreign(error.message))]);
  } else if (isFirst) {
    const words = 'The node does not answer. This is asked again as soon as it does.';
    drawBody('', [h('p', { class: 'failed' }, words)]);
  }
}

function drawBody(key: string, content: readonly Node[]): void {
  if (key !== '' && key === drawn.found) return;
  drawn.found = key;
  body.replaceChildren(...content);
}

/** Asks the node what it is; what may have changed on the chain since is looked up again. */
async function refresh(): Promise<void> {
  if (document.hidden) return;
  const { classList } = document.body;
  let status: NodeStatus;
  try {
    status = await askNode();
  } catch {
    // Whatever went wrong, the reader can only wait for the node; it is asked again.
    if (!classList.contains('away')) {
      connection.textContent = 'The node does not answer. What you see may be old.';
    }
    classList.add('away');
    return;
  }
  const wasAway = classList.contains('away');
  if (wasAway || drawn.node === '') connection.textContent = 'The node answers.';
  classList.remove('away');
  const isNews = drawStatus(status);
  if (isNews || wasAway) await show(false);
}

/** @returns whether anything but the time of the last sync has changed. */
function drawStatus(status: NodeStatus): boolean {
  const state = JSON.stringify({ ...status, last_sync_time: status.last_sync_time !== null });
  if (state === drawn.node) {
    document.getElementById('last-sync')?.replaceChildren(drawLastSync(status));
    return false;
  }
  nodeBody.replaceChildren(...drawNode(status));
  const isFirst = drawn.node === '';
  drawn.node = state;
  return !isFirst;
}

async function keepFresh(): Promise<void> {
  await refresh();
  window.setTimeout(() => void keepFresh(), REFRESH_MS);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const kind = LOOKUP_KINDS.find((one) => one === kindField.value);
  if (kind === undefined || idField.value === '') return;
  const address = addressOf({ kind, id: idField.value });
  if (address === location.hash) void show(true);
  else location.hash = address;
});
window.addEventListener('hashchange', () => void show(true));
document.addEventListener('visibilitychange', () => void refresh());
window.setInterval(refreshTimes, TIMES_MS);
void show(true);
void keepFresh();
