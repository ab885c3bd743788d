// The shelf, the currencies and the bar at the foot of a phone.

import { picture } from './art.js';
import { html } from './dom.js';
import { state } from './state.js';
import { money } from './words.js';

export function drawProducts() {
  return html`<ul class="shelf">${state.products.map(product)}</ul>`;
}

function product({ handle, title, description, variants }) {
  return html`<li class="product" data-key="${handle}">
    <div class="picture">${picture(handle)}</div>
    <h3>${title}</h3>
    <p>${description}</p>
    <div class="variants">${variants.map((variant) => add(title, variant))}</div>
  </li>`;
}

function add(title, { id, title: variant, price }) {
  const which = variant === 'Default Title' ? '' : variant;
  const cost = money(price, state.cart.currency);
  const name = which ? `${title}, ${which}` : title;
  return html`<button class="add" data-key="${id}" data-do="add" data-variant="${id}" data-name="${name}"
    aria-label="Add ${name} for ${cost}">
    <span>${which || 'Add'}</span> <span>${cost}</span>
  </button>`;
}

export function drawCurrencies() {
  const { currency } = state.cart;
  const option = (code) => html`<option value="${code}" ${code === currency && 'selected'}>${code}</option>`;
  return html`<label>
    <span class="aside">Prices in</span>
    <select data-do="currency" data-value="${currency}">${state.shop.currencies.map(option)}</select>
  </label>`;
}

export function drawDock() {
  const items = state.cart.lines.reduce((sum, line) => sum + line.quantity, 0);
  return html`<a href="#shelf">Shop</a>
    <a href="#basket">Cart${items > 0 && html` <b>${items}</b>`}</a>
    <a href="#orders-title">Orders</a>
    <a href="#under-glass">Under the glass</a>`;
}
