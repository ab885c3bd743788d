// How the panel looks, for the state that it is in.

import { h } from './dom.js';

/** The panel's content. */
export function draw(panel) {
  const { words, isGuest, page, sent } = panel;
  const { say } = words;
  const join = sent?.state === 'invited' ? 'referral.join' : 'balance.guest';
  return [
    h('h2', { id: 'title', tabindex: -1, autofocus: true }, say('balance.title')),
    sent && friend(sent, words),
    isGuest ? h('p', { class: 'lead' }, h('a', { href: page.signIn, class: 'main' }, say(join))) : balance(panel),
    !isGuest && hold(panel),
    ...rewards(panel),
    panel.offers?.earns > 0 && h('p', { class: 'quiet' }, say('panel.earns', { points: words.points(panel.offers.earns) })),
  ].filter(Boolean);
}

/** What the panel says of what happened: what went wrong comes first. */
export function news({ problem, note, words: { say } }) {
  return problem ? say(PROBLEMS[problem] ?? 'problem.unavailable') : (note ?? '');
}

/** What becomes of a friend's link. */
const SENT = {
  invited: 'referral.invited',
  waiting: 'referral.waiting',
  own_code: 'referral.own_code',
  not_new: 'referral.not_new',
  circular: 'referral.circular',
  already_referred: 'referral.already_referred',
  limit_reached: 'referral.limit_reached',
};

function friend({ state, gives }, { say, points, money, days }) {
  const isPromised = state === 'invited' || state === 'waiting';
  const { friend: given, least, wait } = gives;
  return h(
    'section',
    { class: 'hold' },
    h('p', {}, say(SENT[state], { points: points(given) })),
    isPromised && least && h('p', { class: 'quiet' }, say('referral.minimum', { amount: money(least.minor, least.currency) })),
    isPromised && h('p', { class: 'quiet' }, say('referral.days_you', { days: days(gives.days) })),
    isPromised && wait > 0 && h('p', { class: 'quiet' }, say('referral.wait', { days: days(wait) })),
  );
}

function balance({ offers, problem, progress, words }) {
  const { say, number, points, day } = words;
  const account = offers?.account;
  if (!offers) return !problem && h('p', { class: 'lead quiet' }, say('panel.loading'));
  if (!account) return h('p', { class: 'lead quiet' }, say('balance.none'));
  return h(
    'div',
    { class: 'lead' },
    h('p', { class: 'figure' }, number(account.points)),
    account.pending > 0 && h('p', { class: 'quiet' }, say('balance.pending', { points: points(account.pending) })),
    account.next &&
      h('p', { class: 'quiet' }, say('balance.expire', { points: points(account.next.points), date: day(account.next.at) })),
    toGo(progress, words),
  );
}

/** What is missing for the next tier, or for the member's own. */
function toGo(progress, { say, points, money }) {
  const isShort = ({ takes }) => takes.missing > 0 && ['spend', 'points'].includes(takes.measure);
  const [key, goal] = [['tier.short', progress?.tier], ['tier.to_go', progress?.next]].find(([, tier]) => tier?.takes && isShort(tier)) ?? [];
  if (!goal) return undefined;
  const { measure, missing } = goal.takes;
  const amount = measure === 'spend' ? money(missing, progress.currency) : points(missing);
  return h('p', { class: 'quiet' }, say(key, { missing: amount, tier: goal.name }));
}

/** The app's words for why not, and ours. */
const PROBLEMS = {
  not_signed_in: 'problem.signed_out',
  too_many_requests: 'problem.busy',
  down: 'problem.down',
  rules: 'panel.failed',
  insufficient_points: 'problem.points',
  under_review: 'problem.review',
  redemption_ended: 'problem.ended',
  redemption_captured: 'problem.ended',
  unknown_redemption: 'problem.ended',
  payout_under_way: 'problem.busy',
  cart: 'problem.cart',
};

/** What is held, and what can be done with it here. */
function hold(panel) {
  const { offers, redemption, words, busy } = panel;
  const { say, points } = words;
  const held = redemption ?? offers?.hold;
  if (!held) return undefined;
  const state = stateOf(panel, held);
  const places = { points: points(held.points), currency: held.currency };
  const button = (key, press, main) =>
    h('button', { type: 'button', class: main && 'main', disabled: busy, 'data-key': key, onclick: press }, say(`hold.${key}`));
  return h(
    'section',
    { class: 'hold', 'aria-labelledby': 'held' },
    h('h3', { id: 'held' }, say('hold.title')),
    h('p', {}, say(`hold.${state}`, places)),
    h(
      'p',
      { class: 'buttons' },
      state === 'elsewhere' && button('use_here', panel.useHere, true),
      !['opening', 'closing'].includes(state) && button('take_back', panel.takeBack),
    ),
  );
}

function stateOf({ offers, cart }, { state, currency, scope, kind, label }) {
  if (state === 'opening' || state === 'closing') return state;
  if (cart && currency !== cart.currency) return 'other_currency';
  if (scope === 'next_order') return 'next_order';
  if (!offers?.hold?.applies) return 'elsewhere';
  if (offers.hold.worth === null) return 'idle';
  return isPushedOut(cart, { kind, label }) ? 'beside_a_code' : 'here';
}

/** Off the whole order: our discount stands in the cart under its title, or a code that goes with no other stands alone. */
function isPushedOut({ cart_level_discount_applications: all = [] }, { kind, label }) {
  const isOurs = ({ type, title }) => type !== 'discount_code' && title === label;
  return label && ['amount', 'percent'].includes(kind) && all.some(({ type }) => type === 'discount_code') && !all.some(isOurs);
}

function rewards(panel) {
  const { offers, words: { say } } = panel;
  if (!offers) return [];
  const list = offers.rewards.map((reward) => row(panel, reward));
  return [
    h('h3', {}, say('rewards.title')),
    list.length > 0 ? h('ul', { class: 'rewards', role: 'list' }, list) : h('p', { class: 'quiet' }, say('rewards.empty')),
  ];
}

/** What is paid out at once, for no cart. */
const PAID = {
  store_credit: { gives: 'panel.credit', sure: 'panel.sure_credit', send: 'panel.send_credit' },
  gift_card: { gives: 'panel.card', sure: 'panel.sure_card', send: 'panel.send_card' },
};

function row(panel, reward) {
  const { isGuest, busy, steps = (panel.steps = {}), words } = panel;
  const ready = reward.state === 'ready' && !isGuest;
  const last = reward.choices.length;
  const at = Math.min(steps[reward.id] ?? last, last);
  const name = `reward-${reward.id}`;
  const text = h('p', { class: 'quiet' });
  const use = h('button', {
    type: 'button',
    class: 'use',
    disabled: busy,
    'data-key': `use-${reward.id}`,
    'aria-describedby': name,
    onclick: () => (reward.kind in PAID ? panel.ask(reward.id) : panel.pick(reward.id, choice().points)),
  });
  const choice = () => reward.choices[Math.min(steps[reward.id] ?? last, last) - 1];
  const write = () => {
    text.textContent = isGuest ? words.points(reward.points) : because(panel, reward, choice());
    if (ready) use.textContent = words.say('rewards.use', { points: words.points(choice().points) });
  };
  write();
  return h(
    'li',
    { 'data-state': reward.state },
    h('div', { class: 'what' }, h('h4', { id: name }, reward.name), text),
    ready && (panel.sure === reward.id ? confirmation(panel, reward) : use),
    ready && last > 1 && slider(panel, reward, at, (step) => {
      steps[reward.id] = step;
      write();
    }),
  );
}

/** The question before something is paid out. Whoever presses twice by accident has pressed the button that says no. */
function confirmation({ busy, words: { say }, ask, payOut }, { id, kind }) {
  const button = (key, text, press, main) =>
    h('button', { type: 'button', class: main && 'main', disabled: busy, 'data-key': key, 'aria-describedby': `sure-${id}`, onclick: press }, say(text));
  return h(
    'div',
    { class: 'sure' },
    h('p', { id: `sure-${id}` }, say(PAID[kind].sure)),
    h(
      'p',
      { class: 'buttons' },
      button(`use-${id}`, 'panel.not_now', () => ask(undefined)),
      button(`send-${id}`, PAID[kind].send, () => payOut(id), true),
    ),
  );
}

/** Points in steps: how many. */
function slider({ words }, { id, name, choices }, at, chosen) {
  const says = (step) => words.points(choices[step - 1].points);
  return h('input', {
    type: 'range',
    min: 1,
    max: choices.length,
    value: at,
    'data-key': `steps-${id}`,
    'aria-label': words.say('panel.steps', { reward: name }),
    'aria-valuetext': says(at),
    oninput: ({ target }) => {
      target.setAttribute('aria-valuetext', says(target.value));
      chosen(Number(target.value));
    },
  });
}

/** What a reward comes to here, or why it cannot be had. */
function because({ cart, words: { say, points, money } }, { state, kind, missing, minimum }, choice) {
  const { currency } = cart;
  switch (state) {
    case 'ready':
      return say(PAID[kind]?.gives ?? 'panel.off', { amount: money(choice.worth, currency) });
    case 'short':
      return say('rewards.to_go', { points: points(missing) });
    case 'not_in_currency':
      return say('panel.currency', { currency });
    case 'other_tier':
    case 'other_segment':
      return say('panel.not_yours');
    case 'below_minimum':
      return say('panel.minimum', { amount: money(minimum, currency) });
    default:
      return say(cart.items.length === 0 ? 'panel.empty_cart' : 'panel.nothing');
  }
}
