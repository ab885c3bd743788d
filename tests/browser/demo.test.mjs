// What `cargo xtask demo` starts: the shop and the backend know each other.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { demo } from './demo.mjs';

const shop = demo();

/** A shopper's session without a browser: JSON in and out, cookies kept. */
function session() {
  const cookies = new Map();
  return async (method, path, body) => {
    const response = await fetch(shop.url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        cookie: [...cookies].map((pair) => pair.join('=')).join('; '),
      },
      body: body && JSON.stringify(body),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
      cookies.set(name, value);
    }
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
    return response.json();
  };
}

/** Asks again until `is` holds, for at most five seconds. */
async function eventually(ask, is) {
  const end = Date.now() + 5000;
  for (;;) {
    const answer = await ask();
    if (is(answer)) return answer;
    assert.ok(Date.now() < end, `still ${JSON.stringify(answer)}`);
    await setTimeout(50);
  }
}

test('an order in the demo earns points, which reach the metafield at the shop', async () => {
  const call = session();
  const { customers } = await call('GET', '/shop/customers');
  const { products } = await call('GET', '/shop/products');
  const { app_proxy: proxy } = await call('GET', '/shop');
  const [variant] = products.find((product) => !product.gift_card).variants;

  await call('POST', '/shop/session', { customer: customers[0].id });
  const before = await call('GET', `${proxy}/account`);
  await call('POST', '/shop/cart', {});
  await call('POST', '/shop/cart/lines', { variant: variant.id, quantity: 3 });
  await call('POST', '/shop/checkout', {});

  const after = await eventually(
    () => call('GET', `${proxy}/account`),
    (account) => account.points + account.pending > before.points + before.pending,
  );
  await eventually(
    () => call('GET', `/shop/customers/${customers[0].id}/metafields`),
    ({ metafields }) => {
      const account = JSON.parse(metafields.find(({ key }) => key === 'account')?.value ?? 'null');
      return account?.points === after.points && account?.pending === after.pending;
    },
  );
});
