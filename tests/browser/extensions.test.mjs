// The extensions in the demo: the bundles that would be deployed, the real backend behind their own door, the real Function.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertFitsWidth, assertNoErrors, browser, SIZES } from './browser.mjs';
import { demo } from './demo.mjs';
import { add, eventually, figure, settled, shoot, visit } from './storefront.mjs';

const shop = demo();
const open = browser();

/** Goes to a page that runs an extension, in the same tab and so with the same cart. */
async function go(page, path) {
  await page.goto(`${shop.url}/demo/${path}`);
  await page.locator('html[data-ready]').waitFor();
}

const use = (page, name) => page.getByRole('button', { name: new RegExp(`^Use .*: ${name}$`) });

test('the checkout extension: points are picked, given by checkout, and the order earns', async () => {
  const page = await visit(open, shop, { as: 'Ada' });
  await settled(page, 1392);
  await add(page, 'House Espresso, 250 g');
  await add(page, 'Stoneware Mug, Moss');
  await go(page, 'checkout');
  await page.getByText('1,392 points').waitFor();
  await shoot(page, 'demo-checkout');
  await use(page, '5 off your order').click();
  await page.getByText('Applied: £5.00 off for 450 points').waitFor();
  await eventually(() => figure(page, 'Total'), '£25.40');
  await page.getByText('942 points').waitFor();
  await shoot(page, 'demo-checkout-applied');

  await use(page, 'Free delivery').click();
  await page.getByText('Applied: £4.95 off for 300 points').waitFor();
  await page.getByRole('button', { name: 'Take it back' }).click();
  await page.getByText('300 points on their way back.').waitFor();
  await use(page, '5 off your order').click();
  await page.getByText('Applied: £5.00 off for 450 points').waitFor();

  await page.getByRole('button', { name: 'Pay' }).click();
  await page.getByRole('heading', { name: /^Thank you/ }).waitFor();
  await page.getByText('You earned 20 points with this order.').waitFor();
  await shoot(page, 'demo-thanks');
  await page.goto(`${page.url()}&later`);
  await page.getByText('You earned 20 points with this order.').waitFor();
  assertNoErrors(page);
});

test('the account extension: a reward for the next order, and an explanation, with a keyboard alone', async () => {
  const page = await visit(open, shop, { as: 'Chiara' });
  await go(page, 'account');
  await page.getByRole('heading', { name: 'Points and rewards' }).waitFor();
  await use(page, 'Points as money').waitFor();
  await page.getByText('Points earned').first().waitFor();
  await shoot(page, 'demo-account');
  const tabTo = async (wanted) => {
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press('Tab');
      if (await wanted.evaluate((element) => element.matches(':focus')).catch(() => false)) return;
    }
    assert.fail(`${wanted} cannot be reached with the Tab key`);
  };
  await tabTo(use(page, 'Points as money'));
  await page.keyboard.press('Enter');
  await page.getByText('200 points set aside for your next order in GBP.').waitFor();
  await shoot(page, 'demo-account-aside');
  await tabTo(page.getByRole('button', { name: 'Why?' }).first());
  await page.keyboard.press('Enter');
  await page.getByRole('listitem').first().waitFor();
  await shoot(page, 'demo-account-why');

  await page.goto(shop.url);
  await page.locator('html[data-ready]').waitFor();
  await add(page, 'Hand Grinder');
  await go(page, 'checkout');
  await page.getByText('Applied: £2.00 off for 200 points').waitFor();
  await go(page, 'account');
  await page.getByRole('button', { name: 'Take it back' }).click();
  await page.getByText('200 points on their way back.').waitFor();
  assertNoErrors(page);
});

test('the checkout extension: a guest is told what signing in would bring', async () => {
  const page = await visit(open, shop, { size: SIZES.phone });
  await add(page, 'Hand Grinder');
  await go(page, 'checkout');
  await page.getByText('Sign in to collect 79 points with this order').waitFor();
  assert.equal(await use(page, '.*').count(), 0);
  await assertFitsWidth(page);
  await page.getByRole('button', { name: 'Pay' }).click();
  await page.getByText('Create an account with the e-mail address of this order, and 79 points are yours.').waitFor();
  await assertFitsWidth(page);
  await shoot(page, 'demo-guest');
});

test('the checkout extension: while the app is down the checkout goes on', async () => {
  const page = await visit(open, shop, { as: 'Ben' });
  await add(page, 'Colombia Huila, 250 g');
  await page.context().route('**/ext/**', (route) => route.abort());
  await go(page, 'checkout');
  await page.getByText('354 points').waitFor();
  await use(page, 'Free delivery').click();
  await page.getByText('The loyalty service does not answer just now. You can check out all the same.').waitFor();
  await shoot(page, 'demo-checkout-down');
  await page.getByRole('button', { name: 'Pay' }).click();
  await page.getByRole('heading', { name: /^Thank you/ }).waitFor();
});
