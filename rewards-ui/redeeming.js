// One redemption in the checkout: points are held by the app, the cart is marked, checkout confirms.
//
// Everything that is shown follows from these signals; nothing else remembers where a redemption stands.

import { signal } from '@preact/signals-core';

import { markOf, marking, UNMARKING } from './metafields.js';
import { sleep, within } from './waits.js';
import { opened, work } from './work.js';

/** How long the checkout may take to mark the cart, and then to take the discount off. */
const MARKING = 10_000;
const CONFIRMING = 10_000;

/**
 * @param {ReturnType<import('./client.js').client>} app
 * @param {Pick<import('@shopify/ui-extensions/checkout').CheckoutApi, 'applyMetafieldChange'>
 *   & Pick<import('@shopify/ui-extensions/checkout').StandardApi, 'appMetafields'>} shopify
 */
export function redeeming(app, shopify) {
  /** What the app says of the redemption that stands; null for none, undefined before it was asked. */
  const redemption = signal(undefined);
  /** The points to spend, as the app says; undefined before it was asked. The metafield may lag behind. */
  const balance = signal(undefined);
  /** The cart's mark, once we have changed it; before that, the metafield says. */
  const marked = signal(undefined);
  /** Of rewards in steps, by id: how many points the shopper chose. */
  const chosen = signal({});
  /** Checkout had its time to confirm. */
  const late = signal(false);
  const { busy, trouble, alone } = work();

  const mark = () => (marked.value === undefined ? markOf(shopify.appMetafields.value) : marked.value);

  /** Gives checkout its time. */
  function awaitConfirmation() {
    const awaited = marked.value;
    late.value = false;
    sleep(CONFIRMING).then(() => {
      if (marked.value === awaited) late.value = true;
    });
  }

  /** Whether the cart carries the change. Fails where the cart may not be changed, as with Apple Pay and Google Pay. */
  async function change(what) {
    const result = await within(MARKING, shopify.applyMetafieldChange(what)).catch(() => undefined);
    return result?.type === 'success';
  }

  async function putMark(hold) {
    // Each attempt has a new number, so that the cart changes and checkout asks the Function anew.
    const next = { hold, attempt: (mark()?.attempt ?? 0) + 1 };
    if (!(await change(marking(next)))) return false;
    marked.value = next;
    awaitConfirmation();
    return true;
  }

  async function takeMark() {
    if (mark() && (await change(UNMARKING))) marked.value = null;
  }

  /** What the member has, or why that is not known. */
  async function ask() {
    const answer = await app.account();
    if (answer.value) balance.value = answer.value.points;
    return answer;
  }

  async function pick(wish) {
    const { value, trouble: refused } = await app.redeem(wish);
    if (refused) return refused;
    redemption.value = value;
    const stands = await opened(app, value);
    if (typeof stands === 'string') return stands;
    redemption.value = stands;
    if (await putMark(stands.id)) return undefined;
    // Points must not be held for a cart that cannot use them.
    const { value: closing } = await app.cancel(stands.id);
    if (closing) redemption.value = closing;
    return 'cannot_mark';
  }

  awaitConfirmation();
  return {
    redemption,
    balance,
    busy,
    trouble,
    late,
    chosen,
    mark,
    /** Holds points for a reward and marks the cart. What stood before is replaced. */
    pick: (wish) => alone('picking', wish.reward, () => pick(wish)).then(ask),
    /** Lets this cart use what is held: it was picked elsewhere, or checkout did not confirm it. */
    useHere: (hold) => alone('picking', 'hold', async () => ((await putMark(hold)) ? undefined : 'cannot_mark')),
    /** Takes the discount off the cart, then gives the points back. */
    remove: (id) =>
      alone('removing', 'hold', async () => {
        await takeMark();
        const { value, trouble: refused } = await app.cancel(id);
        if (value) redemption.value = value;
        return refused;
      }).then(ask),
    /** Asks the app what stands, which keeps it alive, and takes a mark away that names nothing. Says why it cannot. */
    async look() {
      const { value, trouble: refused } = await ask();
      if (refused) return refused;
      if (busy.value) return undefined; // a pick is under way, and knows better
      redemption.value = value.redemption ?? null;
      if (mark() && value.redemption?.id !== mark().hold) await takeMark();
      return undefined;
    },
  };
}

/**
 * Where a redemption stands, seen from this cart: `opening`, `closing`, `other_currency`, `elsewhere`, `confirmed`,
 * `confirming`, `unconfirmed`; null for none.
 */
export function stage(redemption, { mark, currency, taken, late }) {
  if (!redemption || ['captured', 'released'].includes(redemption.state)) return null;
  if (redemption.state !== 'live') return redemption.state;
  if (redemption.currency !== currency) return 'other_currency';
  if (redemption.scope === 'cart' && mark?.hold !== redemption.id) return 'elsewhere';
  if (taken > 0) return 'confirmed';
  return late ? 'unconfirmed' : 'confirming';
}
