// A friend's link: the code that it brought is kept, noted on the cart, and told to the app once somebody is signed in.
// What the app says of it is kept until the panel has said it, and then forgotten.

import { parsed } from './account.js';
import { h } from './dom.js';
import { app, cart } from './shop.js';
import { speaker } from './words.js';

/** Where it is kept: `{ code, at, known }`, with `said` once it is settled. The loader reads it, too. */
const KEPT = 'loyalnest-ref';
const CODE = /^[2-9A-HJKMNP-TV-Z]{8}$/;
const DAY = 86_400_000;

/** What the app says of a code that deserves a sentence; whatever else it refuses is forgotten without one. */
const SAID = ['own_code', 'not_new', 'circular', 'already_referred', 'limit_reached'];
/** What comes to nothing now and may come to something on the next page. */
const LATER = ['down', 'too_many_requests', 'not_signed_in'];

/** Browsers may have no storage, or allow none: then the cart alone carries the code from page to page. */
let memory;

function read() {
  let kept = memory;
  try {
    kept = JSON.parse(localStorage.getItem(KEPT)) ?? memory;
  } catch {
    // What is forbidden, or no JSON, is not there.
  }
  return CODE.test(kept?.code) && Number.isFinite(kept.at) ? kept : undefined;
}

function keep(record) {
  try {
    if (record) localStorage.setItem(KEPT, JSON.stringify(record));
    else localStorage.removeItem(KEPT);
    memory = undefined;
  } catch {
    memory = record;
  }
}

/**
 * What inviting gives, as Liquid knows the program: `{ friend, days, wait, least: { minor, currency } }`; nothing where it
 * gives nothing.
 */
function given({ program }) {
  const { v, referrals } = parsed(program) ?? {};
  const { friend, days, min, wait_days: wait = 0 } = referrals ?? {};
  if (v !== 1 || ![friend, days, wait].every(Number.isSafeInteger)) return undefined;
  const [currency, minor] = Object.entries(min ?? {})[0] ?? [];
  const isAmount = /^[A-Z]{3}$/.test(currency) && Number.isSafeInteger(minor) && minor > 0;
  return { friend, days, wait, least: isAmount ? { minor, currency } : undefined };
}

const isOver = ({ at }, { days }) => Date.now() - at > days * DAY;

let working;
let heard = () => {};

/** Says whom to tell when there may be other news; the panel may be open before a code is looked at. */
export const listen = (listener) => (heard = listener);

/** Goes on with the code that stands in the address, or was kept. */
export function arrive(shopper, code) {
  working ??= go(shopper.dataset, code).finally(() => {
    working = undefined;
    heard();
  });
  return working;
}

async function go(page, code) {
  const gives = given(page);
  const before = read();
  if (code && gives && (code !== before?.code || before.said)) keep({ code, at: Date.now() });
  const kept = read();
  if (!kept) return keep(undefined);
  if (!gives || isOver(kept, gives)) return settle(page, kept);
  if (kept.said) return undefined;
  try {
    if (page.customer) return await tell(page, kept);
    await ask(page, kept);
  } catch ({ code }) {
    if (!LATER.includes(code)) return settle(page, kept, SAID.find((known) => known === code));
  }
  // Also while the app cannot say what it is worth: an order that carries it counts.
  return page.ref === kept.code ? undefined : cart(page).sentBy(kept.code);
}

/** Asks whether a guest's code is a friend's. */
async function ask(page, kept) {
  if (!kept.known) await app(page.proxy).invitation(kept.code);
  keep({ ...kept, known: true });
  show('invited');
}

/** Says who sent the member. An earlier visit may have said so, and the order has come since. */
async function tell(page, kept) {
  const { state } = await app(page.proxy).sent(kept.code);
  keep(state === 'waiting' ? { ...kept, said: state } : undefined);
  show(state);
}

/** A code that is worth nothing is forgotten, here and on the cart, but for what is to be said of it. */
async function settle(page, kept, said) {
  keep(said && { ...kept, said });
  if (said) show(said);
  if (page.ref === kept.code) await cart(page).sentBy('');
}

/** Lets the blocks say it. */
function show(state) {
  for (const block of document.querySelectorAll('loyalnest-referral')) block.tell(state);
}

/** What the panel has to say of a friend's link, `{ state, gives }`: to a guest each time, to a member once. */
export function news(page) {
  const [gives, kept] = [given(page), read()];
  if (!gives || !kept || isOver(kept, gives)) return undefined;
  if (kept.said) {
    keep(undefined);
    return { state: kept.said, gives };
  }
  return kept.known && !page.customer && gives.friend > 0 ? { state: 'invited', gives } : undefined;
}

/** Puts a member's own link in the place of the button that asked for it. */
export async function link({ dataset }, button) {
  const { say } = speaker(dataset);
  const { link: address } = await app(dataset.proxy).referral();
  const field = h('input', { readonly: true, value: address, 'aria-label': say('referral.link'), onfocus: () => field.select() });
  const said = h('span', { class: 'loyalnest-quiet', role: 'status' });
  const copy = h('button', { type: 'button', class: 'loyalnest-button', onclick: put }, say('referral.copy'));
  button.replaceWith(h('span', { class: 'loyalnest-link' }, field, copy), said);
  field.focus();

  async function put() {
    const done = await copied(address, field);
    said.textContent = say(done ? 'referral.copied' : 'referral.not_copied');
    if (!done) field.focus();
  }
}

/** Whether the browser took it: not all of them let a page, and none outside of https. */
async function copied(address, field) {
  try {
    await navigator.clipboard.writeText(address);
    return true;
  } catch {
    field.select();
    return document.execCommand('copy');
  }
}
