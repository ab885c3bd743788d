// What a shopper, and the shop's staff, can do. Each action says what happened and where the focus goes.

import { post, put, remove } from './api.js';
import { MARK, ensureCart, redemptions, state } from './state.js';
import { money, points } from './words.js';

/** The redemption this tab picked and waits for, until checkouts give its discount. */
let awaited;

const mark = (value) => put('/shop/cart/attributes', { [MARK]: value });

export const actions = {
  async signIn({ customer, name }) {
    await post('/shop/session', { customer });
    return { say: `You are ${name} now.`, focus: '#account-name' };
  },

  async signOut() {
    await remove('/shop/session');
    return { say: 'Signed out.', focus: '#account-name' };
  },

  /** A cart has one currency, so another currency is another cart with the same things in it. */
  async currency({ value }) {
    const { lines } = state.cart;
    await ensureCart(value);
    for (const { variant, quantity } of lines) await post('/shop/cart/lines', { variant, quantity });
    return { say: `Prices are in ${value} now.` };
  },

  async add({ variant, name }) {
    await post('/shop/cart/lines', { variant });
    return { say: `${name} is in the cart.` };
  },

  async quantity({ line, quantity, name }) {
    await put(`/shop/cart/lines/${line}`, { quantity: Number(quantity) });
    return quantity === '0' ? { say: `${name} is out of the cart.`, focus: '#cart-title' } : {};
  },

  async place({ later }) {
    const { order } = await post('/shop/checkout', { pay_later: later === 'true' });
    await ensureCart(order.currency);
    return { say: `Thank you. ${order.name} is placed.`, focus: `#order-${order.id}` };
  },

  /** 200: checkouts give the discount already. 202: they soon will, and the cart is marked then. */
  async pick({ reward, points: wanted }) {
    const asked = { reward, currency: state.cart.currency };
    if (wanted) asked.points = Number(wanted);
    const picked = await post(redemptions(), asked);
    if (!picked.mark) {
      awaited = picked.id;
      return { say: `Setting ${points(picked.points)} aside…`, focus: '#hold' };
    }
    await mark(picked.mark);
    return { say: `${points(picked.points)} are set aside for this cart.`, focus: '#hold' };
  },

  async useHere({ mark: value }) {
    await mark(value);
    return { say: 'This cart uses the reward now.', focus: '#hold' };
  },

  async takeBack({ id }) {
    await remove(`${redemptions()}/${id}`);
    awaited = undefined;
    await mark(null);
    return { say: 'The reward is taken back.', focus: '#rewards-title' };
  },

  async pay({ order }) {
    await post(`/shop/orders/${order}/pay`);
    return { say: 'Paid.', focus: `#order-${order}` };
  },

  async refund({ order, line, name }) {
    const lines = [{ line, quantity: 1 }];
    await post(`/shop/orders/${order}/refund`, { lines });
    return { say: `One ${name} is refunded.`, focus: `#order-${order}` };
  },

  async refundAll({ order }) {
    const { order: after } = await post(`/shop/orders/${order}/refund`, { all: true });
    return { say: `${money(after.refunded, after.currency)} are refunded in all.`, focus: `#order-${order}` };
  },

  async cancel({ order }) {
    await post(`/shop/orders/${order}/cancel`);
    return { say: 'The order is cancelled.', focus: `#order-${order}` };
  },

  async holdWebhooks({ paused }) {
    const held = await put('/shop/webhooks/paused', paused === 'true');
    return { say: held ? 'Webhooks are held back.' : 'Webhooks go out again.' };
  },
};

/** Marks the cart once the redemption it waits for is live; true when it did. */
export async function markAwaited(redemption) {
  if (!awaited || redemption?.id === awaited && redemption.state === 'opening') return false;
  const live = redemption?.id === awaited && redemption.state === 'live';
  awaited = undefined;
  if (live) await mark(redemption.mark);
  return live;
}
