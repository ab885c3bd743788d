// Draws what is known, does what is asked, and looks again while something is on its way.

import { drawAccount } from './account.js';
import { actions, markAwaited } from './actions.js';
import { drawCart } from './cart.js';
import { render, say } from './dom.js';
import { drawGlass } from './glass.js';
import { drawOrders } from './orders.js';
import { drawCurrencies, drawDock, drawProducts } from './products.js';
import { drawRewards } from './rewards.js';
import { isInFlight, load, redemption, start, state } from './state.js';

const LOOK_AGAIN = 800; // ms
const LOOK_FOR_APP = 4000;
const SETTLE = 3000; // between a webhook's delivery and its booking nothing is pending anywhere

const places = {
  currencies: drawCurrencies,
  account: drawAccount,
  products: drawProducts,
  cart: drawCart,
  rewards: drawRewards,
  orders: drawOrders,
  glass: drawGlass,
  dock: drawDock,
};

function draw() {
  for (const [id, piece] of Object.entries(places)) render(document.getElementById(id), piece());
  document.documentElement.dataset.ready = '';
}

const tabs = new BroadcastChannel('shop');
let watchedUntil = 0;
let timer;
let queue = Promise.resolve();

/** One thing after another: an answer never overtakes the next question. */
function enqueue(work) {
  queue = queue.then(work).catch((error) => {
    console.error(error);
    say('The shop does not answer.', 'bad');
    timer = setTimeout(() => enqueue(refresh), LOOK_FOR_APP);
  });
  return queue;
}

async function refresh() {
  clearTimeout(timer);
  const note = await load();
  if (await markAwaited(redemption())) {
    await load();
    say('The reward is in this cart now.');
  }
  if (note) say(note, 'note');
  draw();
  if (isInFlight()) watch();
  const wait = Date.now() < watchedUntil ? LOOK_AGAIN : state.isDown && LOOK_FOR_APP;
  if (wait && document.visibilityState === 'visible') timer = setTimeout(() => enqueue(refresh), wait);
}

function watch() {
  watchedUntil = Date.now() + SETTLE;
}

const REPEATED = ['add', 'quantity']; // twice is two
const asked = new Set();

/** Does what a control asks for, then shows what came of it. */
function perform(control) {
  const { do: name } = control.dataset;
  if (asked.has(control) && !REPEATED.includes(name)) return; // a second click on what is under way
  asked.add(control);
  const { value } = control;
  enqueue(async () => {
    let done = {};
    const given = { ...control.dataset }; // as it is by now: one more is one more than after the click before
    state.problem = undefined;
    try {
      done = await actions[name]({ ...given, value });
    } catch (problem) {
      state.problem = { at: given.at ?? name, text: inWords(problem) };
    } finally {
      asked.delete(control);
    }
    watch();
    tabs.postMessage('changed');
    await refresh();
    if (done.say) say(done.say);
    // What went wrong is said beside its cause; what has no place is said to everyone.
    if (state.problem && !document.querySelector('[role="alert"]')) say(state.problem.text, 'bad');
    if (done.focus) show(document.querySelector(done.focus));
  });
}

/** The app's codes that deserve more than its own sentence. */
const WORDS = {
  under_review: 'An order of yours used the same points twice. New rewards wait until the shop has reviewed it.',
  redemption_captured: 'An order has used this reward already.',
  unknown_redemption: 'This reward is not set aside any more.',
};

function inWords(problem) {
  if (!problem.isDown) return WORDS[problem.code] ?? problem.message;
  return 'The loyalty service does not answer, so rewards cannot change just now. You can order all the same.';
}

function show(element) {
  element?.focus({ preventScroll: true });
  element?.scrollIntoView({ block: 'nearest' });
}

const controls = { click: 'button[data-do]', change: 'select[data-do]' };
for (const [event, which] of Object.entries(controls)) {
  document.addEventListener(event, ({ target }) => {
    const control = target.closest(which);
    if (control) perform(control);
  });
}
document.addEventListener('input', ({ target }) => {
  if (target.type === 'range') render(document.getElementById('rewards'), drawRewards());
});

function lookNow() {
  if (document.visibilityState === 'visible') enqueue(refresh);
}
document.addEventListener('visibilitychange', lookNow);
window.addEventListener('focus', lookNow);
tabs.addEventListener('message', () => {
  watch();
  lookNow();
});

document.getElementById('under-glass').open = matchMedia('(min-width: 68rem)').matches;
enqueue(async () => {
  await start();
  await refresh();
});
