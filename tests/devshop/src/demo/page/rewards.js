// What points buy, what is set aside, and what went wrong beside it.

import { html } from './dom.js';
import { claimed, redemption, state } from './state.js';
import { hour, money, number, points } from './words.js';

/** What went wrong with this, if anything did. */
export function problemAt(place) {
  const { problem } = state;
  return problem?.at === place && html`<p class="notice" data-kind="bad" role="alert">${problem.text}</p>`;
}

export function drawRewards() {
  if (!state.customer) return html`<p class="empty">Sign in to see what your points are worth here.</p>`;
  const { rewards } = state.offer;
  if (rewards.length === 0) return html`<p class="empty">This shop has no rewards at the moment.</p>`;
  return html`${held()}
    <ul class="rewards">${rewards.map(reward)}</ul>`;
}

const inCart = (minor) => money(minor, state.cart.currency);

function held() {
  const it = redemption();
  if (!it) return problemAt('hold');
  const { words, detail, choices } = standing(it);
  return html`<div class="hold" id="hold" tabindex="-1" data-key="hold" data-state="${it.state}">
    <p><strong>${words}</strong></p>
    ${detail && html`<p>${detail}</p>`}
    <p class="choices">${choices}</p>
    ${problemAt('hold')}
  </div>`;
}

/** Where a redemption stands, in words, and what can be done with it from this tab. */
function standing({ id, state: stands, mark, points: held, currency, reward, expires_at: until }) {
  const amount = points(held);
  const { hold } = state.offer;
  const takeBack = button('takeBack', 'Take it back', { id });
  if (stands === 'opening') {
    const detail = 'The shop is being told. The discount follows in a moment.';
    return { words: `Setting ${amount} aside…`, detail, choices: takeBack };
  }
  if (stands === 'closing') {
    const detail = `They are free again at ${hour(until)}: until then an order that is on its way may still use them.`;
    const again = button('pick', 'Use it after all', { reward, points: held });
    return { words: `${amount} are on their way back.`, detail, choices: again };
  }
  if (currency !== state.cart.currency) {
    return { words: `${amount} are set aside for a cart in ${currency}.`, choices: takeBack };
  }
  const order = state.orders.find((placed) => claimed(placed) === id);
  if (!hold?.applies && order) {
    const here = button('useHere', 'Use it here all the same', { mark });
    return { words: `${amount} are in ${order.name}, of which the ledger has yet to hear.`, choices: here };
  }
  if (!hold?.applies) {
    const here = button('useHere', 'Use it here instead', { mark });
    const detail = 'Points can be spent once. Whichever order arrives first uses them.';
    return { words: `${amount} are held in another cart.`, detail, choices: [here, takeBack] };
  }
  const detail = hold.worth
    ? `${inCart(hold.worth)} off. The order will cost ${points(hold.costs)}; what it does not need comes back.`
    : 'There is nothing in this cart to take it off.';
  return { words: `${amount} are set aside for this cart.`, detail, choices: takeBack };
}

function button(action, words, data, kind = 'quiet') {
  const given = Object.entries(data).map(([name, value]) => html`data-${name}="${value}" `);
  return html`<button class="${kind}" data-do="${action}" data-at="hold" ${given}>${words}</button>`;
}

function reward(it) {
  const at = it.choices.length > 1 ? chosen(it) : 0;
  const choice = it.choices[at];
  const ready = it.state === 'ready';
  const name = `reward-${it.id}`;
  return html`<li class="reward" data-key="${it.id}" data-state="${it.state}">
    <div class="what">
      <h3 id="${name}">${it.name}</h3>
      <p>${words(it, choice)}</p>
    </div>
    ${ready &&
    html`<button class="use" data-do="pick" data-at="${it.id}" data-reward="${it.id}"
      data-points="${choice.points}" aria-describedby="${name}">Use ${number(choice.points)}</button>`}
    ${!ready && html`<span class="price">${points(it.points)}</span>`}
    ${ready && it.choices.length > 1 && slider(it, choice)} ${problemAt(it.id)}
  </li>`;
}

/** Where the reward's slider stands, within what there is to choose from. */
function chosen({ id, choices }) {
  const slider = document.getElementById(`steps-${id}`);
  return Math.min(slider ? slider.value - 1 : choices.length - 1, choices.length - 1);
}

function slider({ id, name, choices }, { points: spent }) {
  const last = choices.length;
  return html`<input type="range" id="steps-${id}" min="1" max="${last}" value="${last}"
    aria-label="Points to spend on ${name}" aria-valuetext="${points(spent)}" />`;
}

function words({ state: why, missing, minimum }, choice) {
  switch (why) {
    case 'ready':
      return `${inCart(choice.worth)} off for ${points(choice.points)}`;
    case 'short':
      return `${points(missing)} to go`;
    case 'not_in_currency':
      return `Not offered in ${state.cart.currency}`;
    case 'other_tier':
    case 'other_segment':
      return 'For other members';
    case 'below_minimum':
      return `For orders from ${inCart(minimum)}`;
    default:
      return state.cart.lines.length === 0 ? 'Put something in the cart first' : 'Nothing in the cart to take it off';
  }
}
