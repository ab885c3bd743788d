// Who is signed in and what they have, from the account metafield alone.

import { html } from './dom.js';
import { redemption, state } from './state.js';
import { number, points } from './words.js';

export function drawAccount() {
  return html`${state.customer ? signedIn() : guest()}
    ${state.isDown &&
    html`<p class="notice" data-kind="bad">
      <strong>The loyalty service does not answer.</strong> Checkout goes on, and a reward that is in a cart stays good:
      the shop itself holds what it needs. New rewards rest until the service is back; orders are booked then.
    </p>`}`;
}

function guest() {
  const person = ({ id, first_name: name, points: has }) => html`<li data-key="${id}">
    <button class="person" data-do="signIn" data-customer="${id}" data-name="${name}">
      <span class="initial" aria-hidden="true">${name[0]}</span>
      <span><strong>${name}</strong><small>${has === null ? 'new here' : points(has)}</small></span>
    </button>
  </li>`;
  return html`<div class="welcome" data-key="guest">
    <div>
      <h2 id="account-name" tabindex="-1">Who is shopping today?</h2>
      <p>Sign in to earn points on what you buy and to spend them here. Nothing leaves this machine.</p>
    </div>
    <ul class="people">${state.customers.map(person)}</ul>
  </div>`;
}

function signedIn() {
  const { account } = state.offer;
  const held = state.account?.held ?? redemption()?.points ?? 0;
  const figure = (label, value) => html`<div><dt>${label}</dt><dd>${number(value)}</dd></div>`;
  return html`<div class="member" data-key="member">
    <div>
      <h2 id="account-name" tabindex="-1">${state.customer.name}</h2>
      <p class="links">
        <button class="link" data-do="signOut">Someone else</button>
        <a href="/" target="_blank" rel="noopener">Open a second tab</a>
      </p>
    </div>
    <dl class="balance">
      ${figure('Points', account?.points ?? 0)} ${figure('Set aside', held)}
      ${figure('Waiting', account?.pending ?? 0)}
    </dl>
  </div>`;
}
