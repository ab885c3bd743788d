// What the page knows, and how it finds out.

import { Problem, cartToken, get, keepCart, post, put } from './api.js';

/** Where a cart says which redemption it wants. */
export const MARK = '_loyalty';

export const state = {
  shop: undefined, // name, currencies, where the app proxy is
  products: [],
  customers: [],
  customer: null,
  cart: undefined,
  quote: undefined, // the checkout, with the Functions' runs
  offer: undefined, // what the rules say of the metafields and this cart
  account: undefined, // what the app says: balance and redemption
  history: [], // the ledger's lines, newest first
  orders: [],
  glass: undefined,
  isDown: false, // the app does not answer
  problem: undefined, // { at, text }: what went wrong, and beside what it is shown
};

const app = (path) => `${state.shop.app_proxy}${path}`;

export const redemptions = () => app('/redemptions');

/** Reads what does not change while the page is open. */
export async function start() {
  state.shop = await get('/shop');
  await ensureCart();
}

/** A cart for this tab. */
export async function ensureCart(currency = undefined) {
  const known = cartToken() && !currency ? await get('/shop/cart').catch(() => undefined) : undefined;
  keepCart((known ?? (await post('/shop/cart', { currency }))).token);
}

/** Reads everything that may have changed, and says what had to be put right. */
export async function load() {
  const [{ customer }, { customers }, glass, cart] = await Promise.all([
    get('/shop/session'),
    get('/demo/api/customers'),
    get('/demo/api/glass'),
    get('/shop/cart').catch(newCartIfGone),
  ]);
  const shopping = [get('/shop/checkout'), get('/demo/api/offer'), get(`/shop/products?currency=${cart.currency}`)];
  const [quote, offer, { products }] = await Promise.all(shopping);
  const { orders } = customer ? await get('/shop/orders') : { orders: [] };
  Object.assign(state, { customer, customers, glass, cart, quote, offer, products, orders });
  await loadFromApp();
  return offer.mark === 'stale' && dropMark();
}

async function newCartIfGone(problem) {
  if (problem.status !== 404) throw problem;
  await ensureCart();
  return get('/shop/cart');
}

/** The app may be down; the shop goes on. */
async function loadFromApp() {
  if (!state.customer) return Object.assign(state, { account: undefined, history: [], isDown: false });
  try {
    const [account, history] = await Promise.all([get(app('/account')), get(app('/history'))]);
    return Object.assign(state, { account, history, isDown: false });
  } catch (problem) {
    if (!(problem instanceof Problem && problem.isDown)) throw problem;
    return Object.assign(state, { account: undefined, isDown: true });
  }
}

/** The cart asks for what does not stand any more. */
async function dropMark() {
  await put('/shop/cart/attributes', { [MARK]: null });
  await load();
  return 'The reward in this cart was used or taken back elsewhere, so it was removed here.';
}

/** The redemption that stands: as the app says, or as the metafield shows while the app is down. */
export function redemption() {
  const { account, offer } = state;
  if (account) return account.redemption;
  const hold = offer?.account?.hold;
  return hold && { ...hold, currency: hold.cur, state: 'live', mark: offer.hold.mark };
}

/** The hold that an order's mark names; a mark is a claim, not proof. */
export const claimed = (order) => order.attributes.find(({ name }) => name === MARK)?.value.split('.')[0];

/** Whether something is on its way that will change what the page shows. */
export function isInFlight() {
  const { glass, account, offer } = state;
  const { pending, paused } = glass.webhooks;
  const behind = account && account.seq !== (offer.account?.seq ?? 0);
  return (pending > 0 && !paused) || redemption()?.state === 'opening' || Boolean(behind);
}
