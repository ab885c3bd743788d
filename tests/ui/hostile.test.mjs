// What an extension may meet in a checkout, in a real worker: metafields of any kind, sandboxes that lack things, carts that
// change under a pick.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertFitsWidth, assertNoErrors, SIZES } from '../browser/browser.mjs';
import { HOLD, redemption } from '../../rewards-ui/tests/redemption.js';
import { ACCOUNT, checkout, discount, metafield, PROGRAM, stage } from './stage.mjs';

const show = stage();

const app = {
  'GET /account': { points: 1392, pending: 0, held: 0, redemption: null },
  'POST /redemptions': redemption(),
};
const offered = (page) => page.getByRole('button', { name: /^Use / });

for (const [what, account] of [
  ['missing', null],
  ['of a newer format', { ...ACCOUNT, v: 2 }],
  ['truncated', JSON.stringify(ACCOUNT).slice(0, -5)],
  ['10 kB long', { ...ACCOUNT, tier: 'x'.repeat(10_000) }],
  ['of wrong types', { ...ACCOUNT, points: '1392', pending: [] }],
  ['no object', '[1,2,3]'],
]) {
  test(`an extension: an account that is ${what} breaks nothing`, async () => {
    const page = await show(checkout({ account }), { app });
    await page.getByText('Your points').waitFor();
    await page.getByText('1,392 points').waitFor();
    assertNoErrors(page);
  });
}

test('an extension: a balance below zero is shown, and buys nothing', async () => {
  const page = await show(checkout({ account: { ...ACCOUNT, points: -20, pending: 0 } }), {
    app: { 'GET /account': { ...app['GET /account'], points: -20 } },
  });
  await page.getByText('-20 points').waitFor();
  assert.equal(await offered(page).count(), 0);
  assertNoErrors(page);
});

for (const [what, program] of [
  ['missing', null],
  ['of a newer format', { ...PROGRAM, v: 9 }],
  ['truncated', JSON.stringify(PROGRAM).slice(0, 200)],
]) {
  test(`an extension: a programme that is ${what} offers nothing`, async () => {
    const page = await show(checkout({ program }), { app });
    await page.getByText('1,392 points').waitFor();
    assert.equal(await offered(page).count(), 0);
    assertNoErrors(page);
  });
}

test('an extension: a sandbox without WebAssembly, BigInt and text codecs', async () => {
  const without = [
    'WebAssembly',
    'TextDecoder',
    'TextEncoder',
    'atob',
    'btoa',
    'BigInt',
    'AbortController',
    'structuredClone',
  ];
  const page = await show(checkout({ without, allocations: [discount(5)] }), { app });
  await page.getByLabel('Use 450 points: 5 off your order').click();
  await page.getByText('Applied: £5.00 off for 450 points').waitFor();
  assertNoErrors(page);
});

test('an extension: names that are markup are text', async () => {
  const name = '<img src=x onerror="document.title=1"><script>document.title=2</script>{{points}}';
  const rewards = PROGRAM.rewards.map((reward) => ({ ...reward, name: `${name}${reward.id}`.slice(0, 80) }));
  const page = await show(checkout({ program: { ...PROGRAM, rewards } }), { app });
  await page.getByText(name.slice(0, 40)).first().waitFor();
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.equal(await page.title(), 'An extension');
  assertNoErrors(page);
});

test('an extension: the currency changes after the pick', async () => {
  const page = await show(checkout({ allocations: [discount(5)] }), { app });
  await page.getByLabel('Use 450 points: 5 off your order').click();
  await page.getByText('Applied: £5.00 off').waitFor();
  await page.evaluate(() => extension.set('localization.currency', { isoCode: 'JPY' }));
  await page.getByText('450 points set aside for a cart in GBP.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Take it back' }).count(), 1);
  assertNoErrors(page);
});

test('an extension: the cart is emptied after the pick, and filled again', async () => {
  const page = await show(checkout({ allocations: [discount(5)] }), { app });
  await page.getByLabel('Use 450 points: 5 off your order').click();
  await page.getByText('Applied: £5.00 off').waitFor();
  await page.evaluate(async () => {
    for (const path of ['discountAllocations', 'deliveryGroups', 'lines']) await extension.set(path, []);
  });
  await page.getByText('450 points set aside', { exact: false }).waitFor();
  assert.equal(await offered(page).count(), 0);
  await page.evaluate((allocation) => extension.set('discountAllocations', [allocation]), discount(5));
  await page.getByText('Applied: £5.00 off').waitFor();
  assertNoErrors(page);
});

test('an extension: a discount code beside the points is not taken for theirs', async () => {
  const code = { type: 'code', code: 'FIVE', discountedAmount: { amount: 5, currencyCode: 'GBP' } };
  const page = await show(checkout({ signals: { discountAllocations: [code] }, allocations: [code] }), { app });
  await page.getByLabel('Use 450 points: 5 off your order').click();
  await page.getByText('450 points set aside. The discount follows in a moment.').waitFor();
  await page.evaluate((all) => extension.set('discountAllocations', all), [code, discount(4)]);
  await page.getByText('Applied: £4.00 off for 450 points').waitFor();
  assertNoErrors(page);
});

test('an extension: a mark that is nonsense is no mark', async () => {
  const entries = [
    metafield('customer', 'account', ACCOUNT),
    metafield('shop', 'program_ui', PROGRAM),
    metafield('cart', 'redemption', '{"v":1,"hold":'),
  ];
  const page = await show(checkout({ signals: { appMetafields: entries } }), { app });
  await page.getByText('1,392 points').waitFor();
  assert.deepEqual(await page.evaluate(() => asked), []);
  assertNoErrors(page);
});

test('an extension: written from right to left, on a phone', async () => {
  const page = await show(checkout({ language: 'ar' }), { app, size: SIZES.phone });
  await page.getByText('Free delivery').waitFor();
  await assertFitsWidth(page);
  const [name, use] = await Promise.all(
    [page.getByText('5 off your order').first(), offered(page).first()].map((it) => it.boundingBox()),
  );
  assert.ok(use.x < name.x, 'the button is on the left');
  assertNoErrors(page);
});

for (const language of ['de', 'es', 'fr', 'it', 'ja', 'nl', 'pl', 'pt-BR', 'sv']) {
  test(`an extension: everything fits a phone in ${language}`, async () => {
    const page = await show(checkout({ language, allocations: [discount(5)] }), { app, size: SIZES.phone });
    await page.locator('s-button').first().waitFor();
    await assertFitsWidth(page);
    await page.locator('s-button').first().click();
    await page.locator('s-box').waitFor();
    await assertFitsWidth(page);
    assert.doesNotMatch(await page.locator('main').innerText(), /{{|standing\.|trouble\./);
    assertNoErrors(page);
  });
}
