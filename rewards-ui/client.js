// The app's door for extensions: who asks is told by the session token, and nothing that comes back is taken on trust.

import { within } from './waits.js';

/** How long an answer is waited for. A pick is answered within 3 seconds when all is well. */
const PATIENCE = 8_000;

/** Where the app is: Shopify's command line puts it into the bundle. */
export function appAddress() {
  try {
    return process.env.APP_URL.replace(/\/$/, '');
  } catch {
    return ''; // built without it: the app cannot be asked, and says so
  }
}

/**
 * What a request came to: `{ value, status }`, or `{ trouble }` with the app's stable code or one of ours: `no_token`,
 * `unreachable`, `too_slow`, `garbled`, `not_signed_in`, `not_believed`, `too_many_requests`, `server_error`.
 *
 * @typedef {{ value: any, status: number, trouble?: undefined } | { trouble: string }} Answer
 */

/**
 * @param {{ address?: string, token: () => Promise<string>, patience?: number }} options
 */
export function client({ address = appAddress(), token, patience = PATIENCE }) {
  /** For what one surface alone asks. @returns {Promise<Answer>} */
  async function ask(method, path, isRight, body) {
    if (!address) return { trouble: 'unreachable' };
    const asked = within(patience, send(method, path, body));
    const answer = await asked.catch((error) => ({
      trouble: error.message === 'too_slow' ? 'too_slow' : 'unreachable',
    }));
    if (answer.trouble || isRight(answer.value)) return answer;
    return { trouble: 'garbled' };
  }

  async function send(method, path, body) {
    const key = await token().catch(() => '');
    if (!key) return { trouble: 'no_token' };
    const headers = { Authorization: `Bearer ${key}` };
    if (body) headers['Content-Type'] = 'application/json';
    const response = await fetch(`${address}/ext${path}`, { method, headers, body: body && JSON.stringify(body) });
    const said = await response.json().catch(() => undefined);
    if (response.ok) return { value: said, status: response.status };
    return { trouble: codeOf(response.status, said) };
  }

  return {
    ask,
    /** Balance and standing redemption. A visit keeps the redemption alive. */
    account: () => ask('GET', '/account', isAccount),
    /** What joining brings, for guests. */
    joining: () => ask('GET', '/joining', isJoining),
    /** What an order earned; `order_not_yet_known` while the app has not heard of it. */
    orderPoints: (order) => ask('GET', `/orders/${encodeURIComponent(order)}/points`, isOrderPoints),
    /** 200 with the mark when checkouts give the discount already, 202 when they soon will. */
    redeem: (wish) => ask('POST', '/redemptions', isRedemption, wish),
    cancel: (id) => ask('DELETE', `/redemptions/${encodeURIComponent(id)}`, isRedemption),
  };
}

function codeOf(status, said) {
  // A token that is not believed makes nobody a guest.
  if (status === 401) return said?.code === 'not_signed_in' ? 'not_signed_in' : 'not_believed';
  if (status === 429) return 'too_many_requests';
  if (status < 500 && typeof said?.code === 'string') return said.code;
  return 'server_error';
}

export const isText = (it) => typeof it === 'string';
export const isObject = (it) => typeof it === 'object' && it !== null && !Array.isArray(it);
export const isListOf = (isRight) => (list) => Array.isArray(list) && list.every(isRight);

const isRedemption = (it) =>
  isObject(it) && isText(it.id) && isText(it.state) && isText(it.currency) && Number.isSafeInteger(it.points);
const isAccount = (it) =>
  isObject(it) &&
  [it.points, it.pending, it.held].every(Number.isSafeInteger) &&
  (it.redemption == null || isRedemption(it.redemption)) &&
  (it.payout == null || isPayout(it.payout));
export const isPayout = (it) =>
  isObject(it) &&
  [it.id, it.state, it.kind, it.currency].every(isText) &&
  [it.points, it.value].every(Number.isSafeInteger);
const isJoining = (it) =>
  isObject(it) && isText(it.guests) && (it.sign_up === null || Number.isSafeInteger(it.sign_up));
const isOrderPoints = (it) => isObject(it) && [it.posted, it.pending].every(Number.isSafeInteger);
