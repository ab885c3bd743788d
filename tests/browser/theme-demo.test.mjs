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
