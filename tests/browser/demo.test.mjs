// The demo, in a real browser: the real Function, the real backend, the real webhooks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFitsWidth, assertNoErrors, browser, focused, SIZES } from './browser.mjs';
import { demo } from './demo.mjs';
import { add, eventually, figure, ledger, metafield, order, pick, placeOrder, reward, settled, shoot, visit } from './storefront.mjs';

const shop = demo();
const open = browser();

test('points are spent in the checkout, earned on the order, and come back with a refund', async () => {
  const page = await visit(open, shop, { as: 'Ada' });
  await settled(page, 1392);
  const before = await metafield(page);
  await add(page, 'House Espresso, 250 g');
  await add(page, 'Stoneware Mug, Moss');
  await page.getByText('You will earn 25 points.').waitFor();
  await shoot(page, 'cart');

  await pick(page, '5 off your order');
  await settled(page, 942, { 'Set aside': 450 });
  assert.equal(await figure(page, 'Loyalty points'), '−£5.00');
  assert.match(await page.locator('.given dt').textContent(), /WebAssembly, [\d,]{5,} instructions/);
  assert.equal(await figure(page, 'Total'), '£25.40');
  await page.getByText('You will earn 20 points.').waitFor();
  await page.getByText(/^[\d,]+ instructions\s+0\.\d+%\s+of 11,000,000$/).first().waitFor();
  await page.getByText('gives a discount').waitFor();
  await shoot(page, 'reward');

  const placed = await placeOrder(page);
  await placed.getByText('Paid with 450 points that were set aside').waitFor();
  await placed.getByText('20 points earned').waitFor();
  await settled(page, 962);
  const name = await placed.getByRole('heading').textContent();
  assert.deepEqual((await ledger(page)).slice(0, 3), [
    `Earned ${name} +20 available`,
    'Spent hold −450 held',
    'Set aside hold −450 available +450 held',
  ]);
  await eventually(async () => (await metafield(page)).points, 962);
  const after = await metafield(page);
  assert.deepEqual([after.points, after.hold, after.seq], [962, undefined, before.seq + 3]);
  assert.equal(await page.locator('#glass del').textContent(), '  "hold"\n', 'what left the metafield is shown');
  await shoot(page, 'order');

  await placed.getByRole('button', { name: 'Refund one House Espresso 250 g' }).click();
  await placed.getByText('158 points are given back').waitFor();
  await placed.getByText('7 points that were earned are taken back').waitFor();
  await settled(page, 962 + 158 - 7);

  await placed.getByRole('button', { name: 'Cancel' }).click();
  await placed.getByText('cancelled', { exact: true }).waitFor();
  await settled(page, 1392);
  // The page may have asked the ledger before the metafield was written.
  await eventually(async () => (await metafield(page)).points, 1392);
  await shoot(page, 'cancelled');
  assertNoErrors(page);
});

test('an order that is paid later earns points that wait', async () => {
  const page = await visit(open, shop, { as: 'Dev' });
  await page.getByText('Not written yet: the first order will.').waitFor();
  await add(page, 'Hand Grinder');
  const more = page.getByRole('button', { name: 'One more of Hand Grinder' });
  await more.evaluate((button) => [1, 2].forEach(() => button.click()));
  await eventually(() => figure(page, 'Goods'), '£237.00');
  await page.getByRole('button', { name: 'Order now, pay later' }).click();
  await page.getByText('237 points wait for the payment').waitFor();
  await settled(page, 0, { Waiting: 237 });
  await page.getByRole('button', { name: 'Pay now' }).click();
  await page.getByText('237 points earned').waitFor();
  await settled(page, 237);
  assertNoErrors(page);
});

test('a shopper with a keyboard and nothing else gets there', async () => {
  const page = await visit(open, shop);
  const tabTo = async (wanted) => {
    for (let presses = 0; presses < 120; presses++) {
      await page.keyboard.press('Tab');
      if (wanted.test(await focused(page))) return;
    }
    assert.fail(`${wanted} cannot be reached with the Tab key`);
  };
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'a "Skip to the shop"');
  await tabTo(/Ada/);
  await page.keyboard.press('Enter');
  await eventually(() => focused(page), 'h2 "Ada Okafor"');
  await tabTo(/Add Tea Towel/);
  await page.keyboard.press('Enter');
  await page.getByText('Tea Towel is in the cart.').waitFor();
  assert.match(await focused(page), /Add Tea Towel/, 'the focus stays where it is');
  await tabTo(/One more of Tea Towel/);
  await page.keyboard.press('Space');
  await eventually(() => figure(page, 'Goods'), '£23.50');
  await tabTo(/Points to spend/);
  await page.keyboard.press('Home');
  await page.getByText('£1.00 off for 100 points').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focused(page), 'button "Use 200"');
  await page.keyboard.press('Enter');
  await page.getByText('200 points are set aside for this cart.').first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'hold', 'the focus follows what happened');
  for (let presses = 0; !/Place the order/.test(await focused(page)); presses++) {
    assert.ok(presses < 20);
    await page.keyboard.press('Shift+Tab');
  }
  await page.keyboard.press('Enter');
  await page.getByText(/^Thank you/).waitFor();
  await eventually(() => page.evaluate(() => document.activeElement.id.slice(0, 6)), 'order-');
  await tabTo(/Cancel, order/);
  await page.keyboard.press('Enter');
  await settled(page, 1392);
  assertNoErrors(page);
});

test('two tabs: whichever order comes first uses the points, and the other says so', async () => {
  const first = await visit(open, shop, { as: 'Ben' });
  const second = await visit(open, shop, { session: first.context() });
  await settled(second, 354, { Waiting: 43 });
  await add(first, 'Colombia Huila, 250 g');
  for (const _ of [1, 2]) await add(second, 'Hand Grinder');
  await pick(first, 'Free delivery');
  await second.getByText('300 points are held in another cart.').waitFor();
  await shoot(second, 'held-elsewhere');
  await second.getByRole('switch', { name: 'Hold them back' }).click();
  await second.getByRole('button', { name: 'Use it here instead' }).click();
  await second.getByText('300 points are set aside for this cart.').waitFor();
  for (const page of [first, second]) assert.equal(await figure(page, 'Loyalty points'), '−£4.95');

  const one = await placeOrder(first);
  await one.getByText('The ledger does not know of it: webhooks are held back.').waitFor();
  await first.getByText(/^300 points are in #\d+, of which the ledger has yet to hear\.$/).waitFor();
  const two = await placeOrder(second);
  await shoot(second, 'webhooks-held-back');
  await second.getByRole('switch', { name: 'Hold them back' }).click();
  const told = /^Another order used these points first, .* took £4\.95 off once more\. 63 points were taken from the balance for it; the shop bears the rest\./;
  await two.getByText(told).waitFor();
  const name = await one.getByRole('heading').textContent();
  await order(second, name).getByText('Paid with 300 points that were set aside').waitFor();
  await order(first, name).getByText('Paid with 300 points that were set aside').waitFor();
  await settled(second, 158, { Waiting: 43 });
  await shoot(second, 'unbacked');

  assertNoErrors(first);
  assertNoErrors(second);

  // The shop reviews that first.
  await add(second, 'Tea Towel');
  const money = reward(second, 'Points as money');
  await money.getByRole('button').click();
  const refused = 'An order of yours used the same points twice. New rewards wait until the shop has reviewed it.';
  await money.getByRole('alert').getByText(refused).waitFor();
  await shoot(second, 'refused');
});

test('what is taken back in one tab leaves the cart of the other', async () => {
  const first = await visit(open, shop, { as: 'Chiara' });
  const second = await visit(open, shop, { session: first.context() });
  await add(first, 'Tea Towel');
  await add(second, 'Paper Filters');
  await pick(first, 'Points as money');
  await second.getByRole('button', { name: 'Use it here instead' }).click();
  await second.getByText('200 points are set aside for this cart.').waitFor();
  await first.getByRole('button', { name: 'Take it back' }).click();
  await first.getByText('200 points are on their way back.').waitFor();
  await first.getByText(/They are free again at \d\d:\d\d: until then an order that is on its way may still use them\./).waitFor();
  await second.getByText('The reward in this cart was used or taken back elsewhere, so it was removed here.').waitFor();
  await eventually(() => second.locator('.totals .given').count(), 0);
  await first.getByRole('button', { name: 'Use it after all' }).click();
  await first.getByText('200 points are set aside for this cart.').first().waitFor();
  assert.equal(await figure(first, 'Loyalty points'), '−£2.00');
  assertNoErrors(first);
  assertNoErrors(second);
});

test('while the app is down the checkout goes on, and the page says what rests', async () => {
  const page = await visit(open, shop, { as: 'Ada' });
  await add(page, 'Stoneware Mug, Chalk');
  await pick(page, 'Free delivery');
  await page.route('**/apps/loyalty/**', (route) => route.fulfill({ status: 502, body: 'The app did not answer.' }));
  await add(page, 'Tea Towel');
  await page.getByText('The loyalty service does not answer.').waitFor();
  assert.equal(await figure(page, 'Loyalty points'), '−£4.95', 'what was set aside stays good');
  await page.getByText('300 points are set aside for this cart.').first().waitFor();
  const tenth = reward(page, '10 % off');
  await tenth.getByRole('button').click();
  await tenth.getByText('does not answer, so rewards cannot change just now').waitFor();
  await shoot(page, 'app-down');
  const placed = await placeOrder(page);
  await placed.getByText('Loyalty points −£4.95').waitFor();
  await page.unroute('**/apps/loyalty/**');
  await placed.getByText('Paid with 300 points that were set aside').waitFor();
  await placed.getByRole('button', { name: 'Cancel' }).click();
  await settled(page, 1392);
});

test('a pick that is not published in time is waited for', async () => {
  const page = await visit(open, shop, { as: 'Ada' });
  await add(page, 'Hand Grinder');
  const opening = ({ mark, ...redemption }) => ({ ...redemption, state: 'opening' });
  let waits = true;
  await page.route('**/apps/loyalty/redemptions', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ status: 202, json: opening(await answer.json()) });
  });
  await page.route('**/apps/loyalty/account', async (route) => {
    const account = await (await route.fetch()).json();
    if (waits && account.redemption) account.redemption = opening(account.redemption);
    await route.fulfill({ json: account });
  });
  await reward(page, '5 off your order').getByRole('button').click();
  await page.getByText('The shop is being told. The discount follows in a moment.').waitFor();
  assert.equal(await page.locator('.totals .given').count(), 0, 'no discount is promised that is not there');
  await shoot(page, 'opening');
  waits = false;
  await page.getByText('450 points are set aside for this cart.').first().waitFor();
  assert.equal(await figure(page, 'Loyalty points'), '−£5.00');
  const placed = await placeOrder(page);
  await placed.getByText('Paid with 450 points').waitFor();
  await placed.getByRole('button', { name: 'Cancel' }).click();
  await settled(page, 1392);
  assertNoErrors(page);
});

test('a refusal stands beside the reward that was refused', async () => {
  const page = await visit(open, shop, { as: 'Chiara' });
  await add(page, 'Hand Grinder');
  const cart = await page.evaluate(() => sessionStorage.getItem('cart'));
  const offer = await (await page.request.get(`${shop.url}/demo/api/offer`, { headers: { 'x-cart': cart } })).json();
  // A page that has not heard of it yet, while the points are spent on another device.
  await page.route('**/demo/api/offer', (route) => route.fulfill({ json: offer }));
  const elsewhere = await visit(open, shop, { as: 'Chiara' });
  await add(elsewhere, 'Hand Grinder');
  await pick(elsewhere, 'Points as money');
  await (await placeOrder(elsewhere)).getByText('Paid with 200 points').waitFor();

  const points = reward(page, 'Points as money');
  await points.getByRole('button', { name: 'Use 200' }).click();
  await points.getByRole('alert').getByText('There are not enough points for this reward.').waitFor();
});

test('another currency shows its prices, and what is not offered in it', async () => {
  const page = await visit(open, shop, { as: 'Ada' });
  await add(page, 'House Espresso, 1 kg');
  await page.getByRole('combobox', { name: 'Prices in' }).selectOption('JPY');
  await page.getByRole('button', { name: 'Add House Espresso, 1 kg for JP¥5,841' }).waitFor();
  assert.equal(await figure(page, 'Goods'), 'JP¥5,841', 'the cart came along');
  await reward(page, '5 off your order').getByText('Not offered in JPY').waitFor();
  await reward(page, 'Free delivery').getByText('JP¥980 off for 300 points').waitFor();
  await page.getByText('You will earn 29 points.').waitFor();
  await pick(page, 'Free delivery');
  assert.equal(await figure(page, 'Loyalty points'), '−JP¥980');
  await shoot(page, 'yen');
  await page.getByRole('combobox', { name: 'Prices in' }).selectOption('GBP');
  await page.getByText('300 points are set aside for a cart in JPY.').waitFor();
  await page.getByRole('combobox', { name: 'Prices in' }).selectOption('JPY');
  await page.getByRole('button', { name: 'Use it here instead' }).click();
  const placed = await placeOrder(page);
  await placed.getByText('Paid with 300 points').waitFor();
  await placed.getByRole('button', { name: 'Cancel' }).click();
  await settled(page, 1392);
  assertNoErrors(page);
});

test('the page fits a phone in every state', async () => {
  const page = await visit(open, shop, { size: SIZES.phone });
  await assertFitsWidth(page);
  await shoot(page, 'guest');
  await page.getByRole('button', { name: 'Ada' }).click();
  await add(page, 'Gooseneck Kettle');
  await assertFitsWidth(page);
  await pick(page, 'Points as money');
  await assertFitsWidth(page);
  assert.equal(await page.getByRole('heading', { name: 'Ledger' }).isVisible(), false, 'the panel is folded away');
  await page.getByRole('link', { name: 'Under the glass' }).click();
  await page.getByText('Under the glass').first().click();
  for (const summary of await page.locator('.run summary').all()) await summary.click();
  await page.getByRole('heading', { name: 'Ledger' }).waitFor();
  await assertFitsWidth(page);
  const placed = await placeOrder(page);
  await placed.getByText('Paid with').waitFor();
  await assertFitsWidth(page);
  await placed.getByRole('button', { name: 'Cancel' }).click();
  await settled(page, 1392);
  assertNoErrors(page);
});

test('nothing jumps while the page loads', async () => {
  const page = await visit(open, shop);
  const shift = await page.evaluate(async () => {
    const seen = [];
    new PerformanceObserver((list) => seen.push(...list.getEntries())).observe({ type: 'layout-shift', buffered: true });
    await new Promise((resolve) => setTimeout(resolve, 300));
    return seen.reduce((sum, { value }) => sum + value, 0);
  });
  assert.equal(shift, 0);
});

for (const scheme of ['light', 'dark']) {
  test(`every word can be read, and every control has a name, in ${scheme}`, async () => {
    const page = await visit(open, shop, { as: 'Ada' });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await add(page, 'Cold Brew Bags');
    await page.getByRole('button', { name: 'Place the order' }).hover();
    await shoot(page, `palette-${scheme}`);
    assert.deepEqual(await page.evaluate(faint), []);
    const nameless = 'button:not([aria-label]):empty, select:not(label select), input:not([aria-label]), svg:not([aria-hidden])';
    assert.equal(await page.locator(nameless).count(), 0);
  });
}

/** The texts of the page whose contrast is below AA's 4.5. Runs in the page. */
function faint() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const linear = rgba(color).slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return rgba(backgroundColor)[3] === 255 ? backgroundColor : behind(element.parentElement);
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    const [text, ground] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    if (ratio < 4.5) found.push(`${texts.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
  }
  return found;
}
