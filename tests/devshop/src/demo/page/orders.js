// Orders, and in words what each did to the points. The words come from the ledger's lines.

import { html } from './dom.js';
import { problemAt } from './rewards.js';
import { claimed, state } from './state.js';
import { money, points, time } from './words.js';

const SHOWN = 3;
const BACK = html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M6 3 2.5 6.5 6 10M3 6.5h6a4 4 0 0 1 0 8H6" /></svg>`;

export function drawOrders() {
  const { orders, customer } = state;
  if (!customer) return html`<p class="empty">Sign in to see your orders.</p>`;
  if (orders.length === 0) return html`<p class="empty">None yet.</p>`;
  const [newest, earlier] = [orders.slice(0, SHOWN), orders.slice(SHOWN)];
  return html`<ol class="orders">${newest.map(order)}</ol>
    ${earlier.length > 0 &&
    html`<details data-key="earlier"><summary>Earlier orders (${earlier.length})</summary>
      <ol class="orders">${earlier.map(order)}</ol>
    </details>`}`;
}

function order(it) {
  const at = `order-${it.id}`;
  const amount = (minor) => money(minor, it.currency);
  const open = !it.cancelled && it.status !== 'refunded';
  const status = it.cancelled ? 'cancelled' : it.status.replaceAll('_', ' ');
  return html`<li class="order" data-key="${it.id}" id="${at}" tabindex="-1" aria-label="Order ${it.name}">
    <header>
      <h3>${it.name}</h3>
      <span class="badge" data-status="${status}">${status}</span>
      <span class="amount">${amount(it.total)}</span>
    </header>
    <ul class="lines">
      ${it.lines.map((line) => bought(it, line, open))}
      ${it.shipping && html`<li><span class="name">Delivery</span> <span class="amount">${amount(it.shipping.price)}</span></li>`}
    </ul>
    ${it.discounts.map(({ title, amount: off }) => html`<p class="given">${title} <b>−${amount(off)}</b></p>`)}
    <ul class="story">${story(it).map(({ text, kind }) => html`<li data-kind="${kind}">${text}</li>`)}</ul>
    <footer>
      <span class="aside">${time(it.at)}</span>
      ${it.status === 'pending' && open && act('pay', 'Pay now', it)}
      ${it.status !== 'pending' && open && act('refundAll', 'Refund all', it)}
      ${!it.cancelled && act('cancel', 'Cancel', it)}
    </footer>
    ${problemAt(at)}
  </li>`;
}

function act(action, words, { id, name }) {
  return html`<button class="quiet" data-do="${action}" data-order="${id}" data-at="order-${id}"
    aria-label="${words}, order ${name}">${words}</button>`;
}

function bought({ id: order, currency, status }, line, open) {
  const variant = line.variant_title === 'Default Title' ? '' : line.variant_title;
  const left = line.quantity - line.refunded;
  return html`<li data-key="${line.id}">
    <span class="name">${line.quantity} × ${line.title} <small>${variant}</small>
      ${line.refunded > 0 && html`<em>${line.refunded} back</em>`}</span>
    ${open && status !== 'pending' && left > 0 &&
    html`<button class="back" data-do="refund" data-order="${order}" data-line="${line.id}" data-name="${line.title}"
      data-at="order-${order}" title="Refund one" aria-label="Refund one ${line.title} ${variant}">${BACK}</button>`}
    <span class="amount">${money(line.price, currency)}</span>
  </li>`;
}

/** What the order did to the points, oldest first. */
function story(it) {
  const { history } = state;
  const own = history.filter(({ source_id: id }) => id === `order:${it.id}` || id.startsWith(`order:${it.id}#`));
  const lines = [...own, ...ofItsHold(it)].sort((a, b) => a.seq - b.seq);
  const told = lines.map((line) => tell(line, it)).filter(Boolean);
  if (told.length === 0 && !state.isDown) told.push(notYet(it));
  return told.filter(Boolean);
}

/** The lines of the hold that paid for the order: of several orders that claim it, one is paid for. */
function ofItsHold(it) {
  const hold = claimed(it);
  if (!hold) return [];
  const unbacked = ({ id }) => state.history.some((l) => l.kind === 'unbacked' && l.source_id === `order:${id}`);
  const claims = state.orders.filter((other) => claimed(other) === hold && !unbacked(other));
  if (claims.at(-1)?.id !== it.id) return [];
  return state.history.filter((line) => ['capture', 'release'].includes(line.kind) && isOf(line, hold));
}

/** Whether a line is about a hold. */
const isOf = (line, hold) => line.source_id.replaceAll('-', '') === `hold:${hold}`;

function notYet({ lines }) {
  const { paused } = state.glass.webhooks;
  if (paused) return { text: 'The ledger does not know of it: webhooks are held back.', kind: 'note' };
  if (lines.every((line) => line.gift_card)) return { text: 'Gift cards earn when they are spent', kind: 'note' };
  return { text: 'On its way to the ledger…', kind: 'note' };
}

function tell({ kind, available, pending, held }, it) {
  switch (kind) {
    case 'earn':
    case 'post':
      return { text: `${points(available)} earned`, kind: 'good' };
    case 'wait':
      return { text: `${points(pending)} wait for the payment`, kind: 'note' };
    case 'void':
      return { text: `${points(-pending)} are called off`, kind: 'note' };
    case 'reverse':
      return { text: `${points(-available)} that were earned are taken back`, kind: 'note' };
    case 'capture':
      return { text: `Paid with ${points(-held)} that were set aside`, kind: 'good' };
    case 'release':
      return { text: `${points(available)} were not needed and are free again`, kind: 'note' };
    case 'return':
      return { text: available > 0 ? `${points(available)} are given back` : 'What the shop bore is undone', kind: 'good' };
    case 'unbacked':
      return { text: unbacked(-available, it), kind: 'bad' };
    default:
      return undefined;
  }
}

/** The discount was given twice for the same points: say so. */
function unbacked(paid, it) {
  const off = money(it.discounts.reduce((sum, { amount }) => sum + amount, 0), it.currency);
  const first = state.history.find((line) => line.kind === 'capture' && isOf(line, claimed(it)));
  const what = `Another order used these points first, and checkout could not know: it took ${off} off once more.`;
  const who = paid > 0 ? `${points(paid)} were taken from the balance for it` : 'No points were left to pay for it';
  const rest = first && paid < -first.held ? '; the shop bears the rest' : '';
  return `${what} ${who}${rest}. The shop is asked to review it.`;
}
