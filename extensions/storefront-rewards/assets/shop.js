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
  /** What a code of a friend's is worth: refused where it is nobody's. */
  invitation: (code) => ask(`${proxy}/referrals/${encodeURIComponent(code)}`),
  /** Says who sent the member. */
  sent: (code) => ask(`${proxy}/referrals`, { method: 'POST', body: { code } }),
  /** The member's own link. */
  referral: async () => {
    const said = await ask(`${proxy}/referral`);
    if (!/^https:\/\//.test(said.link)) throw new Refused('down', 200);
    return said;
  },
  takeBack: async (id) =>
    withState(await ask(`${proxy}/redemptions/${encodeURIComponent(id)}`, { method: 'DELETE' })),
});

/** A redemption or a payout, and nothing else. */
function withState(said) {
  if (typeof said.id !== 'string' || typeof said.state !== 'string') throw new Refused('down', 200);
  return said;
}

/** The names of the cart's attributes that say which redemption it wants, and whose link brought the shopper. */
const MARK = '_loyalty';
const SENT_BY = '_loyalty_ref';

/** The cart, by the theme's own API. */
export const cart = ({ cart: url, cartUpdate: update }) => {
  /** Sets one attribute and leaves the others; empty takes it away. */
  const note = (name, value) =>
    ask(`${update}.js`, { method: 'POST', body: { attributes: { [name]: value } } }).catch(() => {
      throw new Refused('cart', 0);
    });
  return {
    read: async () => {
      const said = await ask(`${url}.js`);
      if (!Array.isArray(said.items) || typeof said.currency !== 'string') throw new Refused('cart', 200);
      return said;
    },
    mark: (mark) => note(MARK, mark),
    sentBy: (code) => note(SENT_BY, code),
    markOf: ({ attributes }) => attributes?.[MARK] || null,
  };
};
