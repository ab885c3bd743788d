// The cart as the checkout sees it, with the line that the WebAssembly gave.

import { html } from './dom.js';
import { instructions } from './glass.js';
import { problemAt } from './rewards.js';
import { state } from './state.js';
import { money, points } from './words.js';

export function drawCart() {
  const { cart } = state;
  if (cart.lines.length === 0) return html`<p class="empty">Nothing in it yet.</p>${problemAt('place')}`;
  return html`<ul class="lines">${cart.lines.map(line)}</ul>
    ${totals()} ${earning()} ${problemAt('place')}
    <div class="pay">
      <button class="primary" data-do="place" data-at="place">Place the order</button>
      <button class="quiet" data-do="place" data-later="true" data-at="place">Order now, pay later</button>
      <a href="/demo/checkout">Checkout with the extension</a>
    </div>`;
}

const named = ({ title, variant_title: variant }) => (variant === 'Default Title' ? title : `${title}, ${variant}`);

function line(it) {
  const name = named(it);
  const step = (quantity, sign, label) => html`<button data-do="quantity" data-line="${it.id}"
    data-quantity="${quantity}" data-name="${name}" aria-label="${label} ${name}">${sign}</button>`;
  return html`<li data-key="${it.id}">
    <span class="name">${it.title}${name !== it.title && html` <small>${it.variant_title}</small>`}</span>
    <span class="stepper" role="group" aria-label="Quantity of ${name}">
      ${step(it.quantity - 1, '−', 'One less of')}
      <span>${it.quantity}</span>
      ${step(it.quantity + 1, '+', 'One more of')}
    </span>
    <span class="amount">${money(it.price, state.cart.currency)}</span>
  </li>`;
}

function totals() {
  const { quote, cart } = state;
  const amount = (minor) => money(minor, cart.currency);
  const row = (label, minor, kind) => html`<div class="${kind}"><dt>${label}</dt><dd>${amount(minor)}</dd></div>`;
  const given = ({ title, amount: minor }) => html`<div class="given">
    <dt>${title} <small>WebAssembly, ${instructions(quote.runs)}</small></dt>
    <dd>−${amount(minor)}</dd>
  </div>`;
  return html`<dl class="totals">
    ${row('Goods', cart.subtotal)} ${quote.shipping && row('Delivery', quote.shipping.price)}
    ${quote.discounts.map(given)} ${row('Total', quote.total, 'total')}
  </dl>`;
}

function earning() {
  const { earns } = state.offer;
  if (earns === null) return undefined;
  if (!state.customer) return html`<p class="earning">Sign in to earn <strong>${points(earns)}</strong>.</p>`;
  return html`<p class="earning">You will earn <strong>${points(earns)}</strong>.</p>`;
}
