// The theme in the demo: the real backend, the real Function, the real webhooks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertNoErrors, browser, screenshot } from './browser.mjs';
import { demo } from './demo.mjs';
import { eventually } from './storefront.mjs';
import { cart, panel } from './theme.mjs';

const shop = demo();
const open = browser();

test('points are spent in the theme’s cart, the checkout takes them off, and the balance follows', async () => {
  const page = await open(`${shop.url}/account/login`);
  await page.getByRole('button', { name: 'Ada' }).click();
  const balance = page.locator('#shopify-block-balance strong');
  assert.equal(await balance.textContent(), '1,392');
  await page.getByRole('link', { name: 'Hand Grinder' }).click();
  await page.getByText('Earn 79 points with this').waitFor();
  await page.getByRole('button', { name: 'Add to cart' }).click();

  const it = await panel(page);
  await it.getByRole('listitem').filter({ hasText: '5 off your order' }).getByRole('button').click();
  await it.getByText('450 points are set aside for this cart. The discount shows').waitFor();
  await it.getByText('942', { exact: true }).waitFor();
  await it.getByRole('button', { name: 'Close' }).click();
  const totals = page.locator('.totals div');
  await totals.filter({ hasText: 'Loyalty points' }).getByText('−£5.00').waitFor();
  assert.equal(await totals.last().locator('dd').textContent(), '£74.00');
  await page.getByText('450 points are set aside for this cart.').waitFor();
  await page.locator('.loyalnest-launcher', { hasText: '942 points' }).waitFor();
  await screenshot(page, 'theme-demo-cart');

  // Another reward replaces it.
  await panel(page);
  await it.getByRole('listitem').filter({ hasText: '10 % off' }).getByRole('button').click();
  await it.getByText('900 points are set aside for this cart. The discount shows').waitFor();
  await it.getByText('492', { exact: true }).waitFor();
  assert.equal((await cart(page, shop)).total_discount, 790);

  await page.request.post(`${shop.url}/shop/checkout`, { data: {} });
  await eventually(async () => {
    await page.goto(`${shop.url}/store`);
    return balance.textContent();
  }, '563');
  assertNoErrors(page);
});

/** Enters discount codes as themes do. */
const enter = (page, discount) => page.request.post(`${shop.url}/cart/update.js`, { data: { discount } });

test('a discount code beside a reward: both come off where they combine, and where they do not the panel says so', async () => {
  const all = { orderDiscounts: true, productDiscounts: true, shippingDiscounts: true };
  const page = await open(`${shop.url}/account/login`);
  for (const code of [{ code: 'SPRING', percent: 10, combinesWith: all }, { code: 'ALONE', percent: 50 }]) {
    assert.ok((await page.request.post(`${shop.url}/shop/codes`, { data: code })).ok());
  }
  await page.getByRole('button', { name: 'Ada' }).click();
  await page.getByRole('link', { name: 'Hand Grinder' }).click();
  await page.getByRole('button', { name: 'Add to cart' }).click();
  let it = await panel(page);
  await it.getByRole('listitem').filter({ hasText: '5 off your order' }).getByRole('button').click();
  await it.getByText('450 points are set aside for this cart. The discount shows').waitFor();

  // With which codes, what is left of £79.00, and what the panel says of the reward.
  for (const [codes, total, says] of [
    ['SPRING', 6_610, 'The discount shows in your cart and at checkout.'],
    ['ALONE', 3_950, 'A discount code in it cannot be combined with the reward'],
    ['SPRING,ALONE', 3_950, 'A discount code in it cannot be combined with the reward'],
    ['NOBODYS', 7_400, 'The discount shows in your cart and at checkout.'],
    ['', 7_400, 'The discount shows in your cart and at checkout.'],
  ]) {
    await enter(page, codes);
    assert.equal((await cart(page, shop)).total_price, total, codes);
    await page.goto(`${shop.url}/cart`);
    it = await panel(page);
    await it.getByText(says, { exact: false }).waitFor();
    if (codes === 'ALONE') await screenshot(page, 'theme-demo-code');
  }

  await enter(page, 'SPRING');
  await page.request.post(`${shop.url}/shop/checkout`, { data: {} });
  await eventually(async () => {
    await page.goto(`${shop.url}/store`);
    return page.locator('#shopify-block-balance strong').textContent();
  }, `${563 - 450 + 66}`);
  assertNoErrors(page);
});
