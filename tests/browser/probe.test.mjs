// The probe in the local shop: it reads off the shop which way its switches stand, by the Function's echo alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { called } from '../../extensions/probe/screen/src/echo.js';
import { judge } from '../../extensions/probe/screen/src/judge.js';
import { echoed, watch } from '../../extensions/probe/screen/src/watch.js';
import { startShop, tellCustomer } from './theme.mjs';

const INTERVAL = 1;
const SECONDS = 9;

/** Discounts as a checkout shows them to an extension. */
const shown = ({ discounts }) => discounts.map(({ title, amount }) => ({ title, discountedAmount: { amount: amount / 100 } }));

/** What the probe makes of a shop whose switches stand so. */
async function probe(shop, switches, cart) {
  const { products } = await (await fetch(`${shop.url}/shop/products`)).json();
  const { id: variant } = products.find(({ handle }) => handle === 'hand-grinder').variants[0];
  let cookie = `devshop_customer=${shop.customer}`;
  const ask = async (method, path, body) => {
    const headers = { cookie, 'content-type': 'application/json' };
    const answer = await fetch(`${shop.url}/shop${path}`, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path} was answered with ${answer.status}`);
    const text = await answer.text();
    return text && JSON.parse(text);
  };
  await ask('PUT', '/switches', switches);
  cookie += `; devshop_cart=${(await ask('POST', '/cart', cart)).token}`;
  await ask('POST', '/cart/lines', { variant, quantity: 1 });
  const shopify = {
    appMetafields: { value: [] },
    discountAllocations: { value: [] },
    async applyMetafieldChange({ metafield: { value } }) {
      // The developer who writes the customer's metafield meanwhile.
      if (value === '4') await tellCustomer(shop, 'probe', 'number_integer', String(Math.floor(Date.now() / 1_000)));
      await ask('PUT', '/cart/metafields/probe', Number(value));
      shopify.discountAllocations.value = shown(await ask('GET', '/checkout'));
      return { type: 'success' };
    },
  };
  const { samples } = await watch(shopify, { seconds: SECONDS, interval: INTERVAL, each() {} });
  const { order } = await ask('POST', '/checkout', {});
  const echo = echoed(shown((await ask('GET', `/orders/${order.id}`)).order));
  return { ...judge(samples, { interval: INTERVAL, isSignedIn: true }), order_title: called(echo.title, echo) };
}

test('the probe reads off the local shop which way its switches stand', async (t) => {
  const shop = {};
  t.after(await startShop(shop, 'extensions/probe', ['--discount', 'Probe']));
  assert.deepEqual(await probe(shop, {}, {}), {
    metafield_freshness: 'immediate',
    cart_metafield_freshness: 'immediate',
    order_title: 'candidate_message',
    authentication: 'as_signed_in',
  });
  const others = {
    metafield_freshness: { stale_for: 2 },
    cart_metafield_freshness: { stale_for: 2 },
    order_title: 'node_title',
    authentication: 'false_under_shop_pay',
  };
  const { metafield_freshness: age, ...rest } = await probe(shop, others, { shop_pay: true });
  assert.deepEqual({ ...rest, metafield_freshness: others.metafield_freshness }, others);
  // It is seen by the first run after it, and written in whole seconds.
  assert.ok([2, 3, 4].includes(age.stale_for), `${JSON.stringify(age)}`);
});
