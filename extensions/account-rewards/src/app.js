// What the pages of an account ask of the app, beside what every surface does.

import { client, isListOf, isObject, isPayout, isText } from '../../../rewards-ui/client.js';

/** The app, asked by whoever is signed in. */
export function memberClient() {
  const app = client({ token: () => shopify.sessionToken.get() });
  const { ask } = app;
  return {
    ...app,
    /** What points buy, and what of it can be had now. */
    rewards: () => ask('GET', '/rewards', isListOf(isReward)),
    /** A page of entries before the one with a number, newest first. */
    history: (before, limit) =>
      ask('GET', `/history?limit=${limit}${before === undefined ? '' : `&before=${before}`}`, isListOf(isEntry)),
    /** What an order earned, explained in sentences. */
    explain: (order, language) =>
      ask('GET', `/orders/${encodeURIComponent(order)}/explain?lang=${encodeURIComponent(language)}`, isExplained),
    /** Store credit or a gift card. With the same `id`, the same payout again: 202 until it is known what came of it. */
    payOut: (wish) => ask('POST', '/payouts', isPayout, wish),
    payout: (id) => ask('GET', `/payouts/${encodeURIComponent(id)}`, isPayout),
    /** The member's own link, what it gives, and what became of it. */
    referral: () => ask('GET', '/referral', isReferral),
    birthday: () => ask('GET', '/birthday', isBirthday),
    tellBirthday: (birthday) => ask('POST', '/birthday', isBirthday, { birthday }),
    forgetBirthday: () => ask('DELETE', '/birthday', isBirthday),
  };
}

const isReward = (it) =>
  isObject(it) && isText(it.id) && isText(it.name) && Number.isSafeInteger(it.points) && isText(it.benefit?.kind);
const isEntry = (it) =>
  isObject(it) && isText(it.kind) && [it.seq, it.available, it.pending, it.held].every(Number.isSafeInteger);
const isExplained = (it) => isObject(it) && isListOf(isText)(it.text);
const isBirthday = (it) => isObject(it) && (it.birthday === null || isText(it.birthday));
const isReferral = (it) =>
  isObject(it) &&
  isObject(it.gives) &&
  isObject(it.gives.min) &&
  Object.values(it.gives.min).every(isCount) &&
  [it.gives.advocate, it.gives.friend, it.gives.days, it.waiting, it.completed, it.points].every(isCount) &&
  // It is shown as an address, and sent to friends.
  isText(it.link) &&
  it.link.startsWith('https://');
const isCount = (it) => Number.isSafeInteger(it) && it >= 0;
