// The local shop's theme with the app's blocks, beside an app that answers what a test wants it to.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const START_TIMEOUT = 15 * 60_000; // it compiles first, if nobody has

/** What a shop's program looks like to widgets; names as a merchant may write them. */
export const PROGRAM = {
  v: 1,
  version: 1,
  currency: 'GBP',
  earn: { points: 1, per: 100 },
  rewards: [
    { id: 'points', name: 'Points as money', points: 100, benefit: { kind: 'steps', value: { GBP: 100 }, most: 50 } },
    { id: 'five-off', name: '5 off your order', points: 450, benefit: { kind: 'amount', value: { GBP: 500 } } },
    { id: 'tenth-off', name: '10 % off', points: 2_000, benefit: { kind: 'percent', basis_points: 1_000 } },
    { id: 'card', name: 'Gift card', points: 1_000, benefit: { kind: 'gift_card', value: { GBP: 1_000 } } },
  ],
};

export const HOLD = '0123456789abcdef0123456789abcdef';

/** An account as its metafield shows it. */
export const account = (points, more = {}) => ({ v: 1, seq: 7, points, pending: 0, ...more });

/** Points that are held for the reward `five-off`. */
export const hold = (more = {}) =>
  ({ id: HOLD, scope: 'cart', kind: 'amount', points: 450, value: 500, cur: 'GBP', label: 'Loyalty points', ...more });

/** The same as the app tells it. */
export const redemption = (more = {}) =>
  ({ id: HOLD, state: 'live', reward: 'five-off', points: 450, kind: 'amount', value: 500, currency: 'GBP', scope: 'cart', mark: `${HOLD}.1`, expires_at: '2026-11-27T12:00:00Z', ...more });

/**
 * Starts a shop and an app before the tests of a file and stops them after. `answers` says what the app answers to
 * `METHOD /path`: `{ status, body, text }`, or a function that makes it.
 */
export function theme() {
  const shop = { answers: {}, asked: [] };
  let stop;
  before(async () => (stop = await start(shop)), { timeout: START_TIMEOUT });
  after(() => stop?.());
  return shop;
}

/** Starts both and puts into `shop` where it is, and somebody who has an account there; returns what stops them. */
export async function start(shop) {
  const server = http.createServer((request, response) => answer(shop, request, response)).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const stop = await startShop(shop, 'extensions', ['--app-url', `http://127.0.0.1:${server.address().port}`]);
  await tell(shop, 'program_ui', PROGRAM);
  return () => {
    stop();
    server.close();
  };
}

/** Starts a local shop with the extensions of a folder, and puts into `shop` where it is and who has an account there. */
export async function startShop(shop, extensions, more = []) {
  for (const build of [['xtask', 'build'], ['build', '--quiet', '--locked', '--workspace', '--bins']]) {
    const built = spawnSync('cargo', build, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    assert.equal(built.status, 0, String(built.stderr));
  }
  const target = process.env.CARGO_TARGET_DIR ?? path.join(root, 'target');
  const options = ['--port', '0', '--functions', path.join(root, extensions), ...more];
  const child = spawn(path.join(target, 'debug/devshop'), options, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    shop.url = JSON.parse(line).url;
    break;
  }
  const { customers } = await (await fetch(`${shop.url}/shop/customers`)).json();
  shop.customer = customers[0].id;
  return () => child.kill();
}

async function answer({ answers, asked }, request, response) {
  const { pathname } = new URL(request.url, 'http://app');
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const key = `${request.method} ${pathname.replace('/proxy', '')}`;
  asked.push({ key, body: Buffer.concat(chunks).toString() });
  const given = answers[key] ?? { status: 404, body: { code: 'not_found' } };
  const { status = 200, body, text = JSON.stringify(body) } = typeof given === 'function' ? await given() : given;
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}

/** Writes the metafield `account` of a customer, or `program_ui` of the shop, as the app does; `value` may be text. */
export async function tell(shop, key, value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (key === 'account') return tellCustomer(shop, key, 'json', text);
  return write(shop.url, { ownerId: await shopId(shop.url), namespace: '$app', key, type: 'json', value: text });
}

/** Writes a metafield of the customer. */
export const tellCustomer = ({ url, customer }, key, type, value) =>
  write(url, { ownerId: `gid://shopify/Customer/${customer}`, namespace: '$app', key, type, value });

async function write(url, metafield) {
  const query = 'mutation($metafields: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $metafields) { userErrors { field message code elementIndex } } }';
  const { data } = await admin(url, query, { metafields: [metafield] });
  assert.deepEqual(data.metafieldsSet.userErrors, []);
}

const shopId = async (url) => (await admin(url, '{ shop { id } }')).data.shop.id;

async function admin(url, query, variables = {}) {
  const answer = await fetch(`${url}/admin/api/2026-10/graphql.json`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-shopify-access-token': 'devshop-token' },
    body: JSON.stringify({ query, variables }),
  });
  return answer.json();
}

/** Opens a page of the theme in a session of its own. */
export async function visit(open, shop, where, { signedIn = true, lines = 1, before, ...options } = {}) {
  const page = await open('about:blank', options.size, options.session);
  page.asked = [];
  page.on('request', (request) => page.asked.push(`${request.method()} ${request.url().replace(shop.url, '')}`));
  if (signedIn) await page.request.post(`${shop.url}/shop/session`, { data: { customer: shop.customer } });
  if (!options.session && lines > 0) {
    const { products } = await (await page.request.get(`${shop.url}/shop/products`)).json();
    const mug = products.find(({ handle }) => handle === 'stoneware-mug');
    const items = [{ id: Number(mug.variants[0].id), quantity: lines }];
    await page.request.post(`${shop.url}/cart/add.js`, { data: { items } });
  }
  await before?.(page);
  await page.goto(shop.url + where);
  return page;
}

/** What is in the browser's cart. */
export const cart = async (page, shop) => (await page.request.get(`${shop.url}/cart.js`)).json();

/** Opens the panel by the button at the edge of the screen. */
export async function panel(page) {
  await page.locator('.loyalnest-launcher').click();
  const it = page.getByRole('dialog');
  await it.waitFor();
  return it;
}
