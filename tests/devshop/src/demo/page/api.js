// Calls to the shop, and through its app proxy to the app. Every tab has a cart of its own; who is signed in is the
// browser's.

const CART = 'cart';

/** Why a call was refused, with the app's stable code and its sentence for a person. */
export class Problem extends Error {
  constructor(status, code, title) {
    super(title);
    Object.assign(this, { status, code });
  }

  /** Nobody answered, or not in time: the app is down, the shop is not. */
  get isDown() {
    return this.status === 0 || this.status >= 502;
  }
}

export const cartToken = () => sessionStorage.getItem(CART);
export const keepCart = (token) => sessionStorage.setItem(CART, token);

async function call(method, path, body) {
  const headers = { 'x-cart': cartToken() ?? '' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem(0, 'offline', 'Nobody answers.');
  }
  const json = answer.headers.get('content-type')?.includes('json') ? await answer.json() : undefined;
  if (answer.ok) return json;
  const { code = 'refused', title, error } = json ?? {};
  throw new Problem(answer.status, code, title ?? error ?? 'Nobody answers.');
}

export const get = (path) => call('GET', path);
export const post = (path, body = {}) => call('POST', path, body);
export const put = (path, body) => call('PUT', path, body);
export const remove = (path) => call('DELETE', path);
