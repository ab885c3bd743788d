// Requests: to the shop's cart, and through the app proxy to the app. Each ends within its time.

const PATIENCE = 8_000;

/** Why a request brought nothing. `code` is the app's own word for it, `down` where there was no sensible answer. */
export class Refused extends Error {
  constructor(code, status) {
    super(code);
    this.code = code;
    this.status = status;
  }
}

async function ask(url, { method = 'GET', body } = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const answer = await fetch(url, {
      method,
      signal: stop.signal,
      credentials: 'same-origin',
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    const said = await answer.json().catch(() => undefined);
    if (!answer.ok) throw new Refused(codeOf(answer.status, said), answer.status);
    if (said === null || typeof said !== 'object') throw new Refused('down', answer.status);
    return said;
  } catch (error) {
    throw error instanceof Refused ? error : new Refused('down', 0);
  } finally {
    clearTimeout(timer);
  }
}

/** The statuses that mean the same whatever stands in the body, which may be a page of Shopify's. */
function codeOf(status, said) {
  if (status === 401) return 'not_signed_in';
  if (status === 429) return 'too_many_requests';
  if (status >= 500) return 'down';
  return typeof said?.code === 'string' ? said.code : 'down';
}

/** The app, through the shop's own address: Shopify says who is signed in. */
export const app = (proxy) => ({
  account: async () => {
    const account = await ask(`${proxy}/account`);
    if (![account.points, account.pending, account.seq].every(Number.isSafeInteger)) throw new Refused('down', 200);
    return account;
  },
  /** How far it is from tier to tier; nothing where that is not told. */
  tier: () => ask(`${proxy}/tier`),
  pick: async (wish) => withState(await ask(`${proxy}/redemptions`, { method: 'POST', body: wish })),
  payOut: async (wish) => withState(await ask(`${proxy}/payouts`, { method: 'POST', body: wish })),
  takeBack: async (id) =>
    withState(await ask(`${proxy}/redemptions/${encodeURIComponent(id)}`, { method: 'DELETE' })),
});

/** A redemption or a payout, and nothing else. */
function withState(said) {
  if (typeof said.id !== 'string' || typeof said.state !== 'string') throw new Refused('down', 200);
  return said;
}

/** The name of the cart's attribute that says which redemption it wants. */
const MARK = '_loyalty';

/** The cart, by the theme's own API. */
export const cart = ({ cart: url, cartUpdate: update }) => ({
  read: async () => {
    const said = await ask(`${url}.js`);
    if (!Array.isArray(said.items) || typeof said.currency !== 'string') throw new Refused('cart', 200);
    return said;
  },
  /** Sets the mark; empty takes it away. */
  mark: (mark) =>
    ask(`${update}.js`, { method: 'POST', body: { attributes: { [MARK]: mark } } }).catch(() => {
      throw new Refused('cart', 0);
    }),
  markOf: ({ attributes }) => attributes?.[MARK] || null,
});
