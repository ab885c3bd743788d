// The account's page and profile block in a real browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertFitsWidth, assertNoErrors, screenshot, SIZES } from '../browser/browser.mjs';
import { HOLD, redemption } from '../../rewards-ui/tests/redemption.js';
import { progress } from '../../rewards-ui/tests/progress.js';
import { GIVES, referral } from '../../rewards-ui/tests/referral.js';
import { assertAccessible, stage } from './stage.mjs';

const show = stage();

const NEXT = redemption({ scope: 'next_order' });
const reward = (id, name, points, benefit, refused = null) => ({
  id,
  name,
  points,
  benefit,
  refused,
  left: null,
  because: null,
  again_at: null,
});
const entry = (seq, kind, available, rest = {}) => ({
  at: `2026-11-${10 + seq}T10:00:00Z`,
  seq,
  kind,
  available,
  pending: 0,
  held: 0,
  source_id: `order:${1000 + seq}#1`,
  ...rest,
});

const app = (rest = {}) => ({
  'GET /account': {
    points: 1392,
    pending: 43,
    held: 0,
    seq: 5,
    redemption: null,
    next: { points: 40, at: '2027-01-31' },
    tier: { id: 'silver', name: 'Silver' },
    birthday: { told: false, bonus: 100 },
  },
  'GET /rewards': [
    reward('five', '5 off your order', 450, { kind: 'amount', value: { GBP: 500, EUR: 600 } }),
    reward('money', 'Points as money', 100, { kind: 'steps', value: { GBP: 100 }, most: 20 }),
    reward('delivery', 'Free delivery', 300, { kind: 'shipping' }),
    reward(
      'grinder',
      'A hand grinder',
      1500,
      { kind: 'product', variant: 'gid://shopify/ProductVariant/1' },
      'insufficient_points',
    ),
    reward('credit', 'Store credit', 500, { kind: 'store_credit', value: { GBP: 500 } }),
    reward('tenth', '10 % off', 800, { kind: 'percent', basis_points: 1000 }, 'sold_out'),
  ],
  'GET /tier': progress(),
  'GET /referral': referral(),
  'GET /history': [
    entry(5, 'earn', 20),
    entry(4, 'hold', -450, { held: 450, source_id: HOLD }),
    entry(3, 'wait', 0, { pending: 43 }),
  ],
  'GET /orders/1005/explain': { text: ['Stoneware Mug: 14 points.', 'House Espresso: 6 points, doubled by Gold.'] },
  'GET /birthday': { birthday: null },
  'POST /birthday': { birthday: '05-27' },
  'POST /redemptions': NEXT,
  ...rest,
});

const page = (rest = {}) => ({
  handle: 'account-rewards',
  target: 'customer-account.page.render',
  signals: { 'localization.extensionLanguage': { isoCode: 'en' } },
  answer: {
    localization: { country: { currency: { isoCode: 'GBP' } } },
    shop: {
      paymentSettings: { currencyCode: 'GBP', enabledPresentmentCurrencies: ['EUR', 'GBP'] },
      metafield: { value: JSON.stringify({ v: 1, referrals: GIVES }) },
    },
  },
  ...rest,
});

test('an extension: the account shows all there is, and explains it', async () => {
  const it = await show(page(), { app: app() });
  for (const text of [
    '1,392 points',
    'Silver',
    '40 points expire on Jan 31, 2027.',
    '£180.00 to go to Gold',
    '108 points to go',
    'Sold out',
    'Points set aside',
  ]) {
    await it.getByText(text).first().waitFor();
  }
  await it.getByRole('button', { name: 'Why?' }).first().click();
  await it.getByText('House Espresso: 6 points, doubled by Gold.').waitFor();
  await assertAccessible(it);
  await screenshot(it, 'ext-account');
  await it.getByRole('combobox', { name: 'Currency of your next order' }).selectOption('EUR');
  await it.getByText('€6.00 off for 450 points').waitFor();
  await it.getByText('Not offered in EUR').first().waitFor();
  assertNoErrors(it);
});

test('an extension: a birthday is told in the account', async () => {
  const it = await show(page(), { app: app() });
  await it.getByRole('combobox', { name: 'Month' }).selectOption('May');
  await it.getByRole('combobox', { name: 'Day' }).selectOption('27');
  await it.getByRole('button', { name: 'Save' }).click();
  await it.getByText('May 27').waitFor();
  assertNoErrors(it);
});

test('an extension: what is set aside in the account can be taken back', async () => {
  const account = { ...app()['GET /account'], points: 942, held: 450, redemption: NEXT };
  const it = await show(page(), {
    app: app({ 'GET /account': account, [`DELETE /redemptions/${HOLD}`]: { ...NEXT, state: 'closing' } }),
  });
  await it.getByText('450 points set aside for your next order in GBP.', { exact: false }).waitFor();
  await screenshot(it, 'ext-account-aside');
  const asked = it.waitForRequest(
    (request) => request.method() === 'DELETE' && request.url().endsWith(`/redemptions/${HOLD}`),
  );
  await it.getByRole('button', { name: 'Take it back' }).click();
  await asked;
  assertNoErrors(it);
});

const CREDIT = reward('credit', 'Store credit', 500, { kind: 'store_credit', value: { GBP: 500 } });
const CARD = reward('card', 'A gift card', 1000, { kind: 'gift_card', value: { GBP: 1000 } });
const payout = (state, rest = {}) => ({
  id: '018f0000-0000-4000-8000-000000000001',
  state,
  reward: 'credit',
  kind: 'store_credit',
  points: 500,
  value: 500,
  currency: 'GBP',
  reason: null,
  ...rest,
});

test('an extension: a gift card takes a second press, with a keyboard alone', async () => {
  const sent = payout('done', { kind: 'gift_card', reward: 'card', points: 1000, value: 1000 });
  const it = await show(page(), { app: app({ 'GET /rewards': [CREDIT, CARD], 'POST /payouts': sent }) });
  const use = it.getByRole('button', { name: 'Use 1,000 points: A gift card' });
  await use.focus();
  await it.keyboard.press('Enter');
  await it.getByText('It comes by e-mail and cannot be taken back.').waitFor();
  assert.ok(!it.requests.includes('POST /payouts'));
  await assertAccessible(it);
  await screenshot(it, 'ext-account-gift-card-sure');
  await it.getByRole('button', { name: 'Send it' }).focus();
  await it.keyboard.press('Enter');
  await it.getByText('A gift card of £10.00 is on its way to you by e-mail.').waitFor();
  await screenshot(it, 'ext-account-gift-card');
  assertNoErrors(it);
});

for (const [state, says] of [
  ['sent', '£5.00 for 500 points is being paid out. This takes a moment.'],
  ['unknown', 'It is not certain yet that £5.00 was paid out.'],
  ['refused', '£5.00 could not be paid out. 500 points are yours again.'],
  ['done', '£5.00 of store credit is in your account.'],
]) {
  test(`an extension: store credit that is ${state} says so`, async () => {
    const answers = { 'GET /rewards': [CREDIT, CARD], 'POST /payouts': payout(state) };
    const it = await show(page(), { app: app({ ...answers, [`GET /payouts/${payout(state).id}`]: payout(state) }) });
    await it.getByRole('button', { name: 'Use 500 points: Store credit' }).click();
    await it.getByRole('button', { name: 'Pay it out' }).click();
    await it.getByText(says, { exact: false }).waitFor();
    await assertAccessible(it);
    await screenshot(it, `ext-account-payout-${state}`);
    assertNoErrors(it);
  });
}

test('an extension: how far it is to the next tier is a bar with words, for whoever hears it, too', async () => {
  const it = await show(page(), { app: app() });
  const bar = it.getByRole('progressbar', { name: '£320.00 of £500.00 spent since Nov 28, 2025' });
  await bar.waitFor();
  assert.deepEqual([await bar.getAttribute('value'), await bar.getAttribute('max')], ['32000', '50000']);
  await assertAccessible(it);
  assertNoErrors(it);
});

test('an extension: a member copies the link for friends, with a keyboard alone', async () => {
  const it = await show(page(), { app: app() });
  const { link } = referral();
  assert.equal(await it.getByRole('textbox', { name: 'Your link' }).inputValue(), link);
  await it.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const copy = it.getByRole('button', { name: 'Copy' });
  await copy.focus();
  await it.keyboard.press('Enter');
  await it.getByText('Copied. Now send it to a friend.').waitFor();
  assert.equal(await it.evaluate(() => navigator.clipboard.readText()), link);
  await assertAccessible(it);
  await screenshot(it, 'ext-account-referral');
  await it.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden'))));
  await it.keyboard.press('Enter');
  await it.getByText('Select the link and copy it by hand.', { exact: false }).waitFor();
  assertNoErrors(it);
});

test('an extension: an account without an app says so', async () => {
  const it = await show(page(), { app: {} });
  await it.getByText('The loyalty service does not answer just now. Your points are safe.').waitFor();
  await screenshot(it, 'ext-account-down');
});

test('an extension: the profile shows the balance', async () => {
  const it = await show(page({ handle: 'account-rewards-profile', target: 'customer-account.profile.block.render' }), {
    app: app(),
  });
  await it.getByText('1,392 points').waitFor();
  await it.getByText('£180.00 to go to Gold').waitFor();
  await it.getByText('Rewards and history').waitFor();
  assertNoErrors(it);
});

for (const language of ['en', 'de', 'es', 'fr', 'it', 'ja', 'nl', 'pl', 'pt-BR', 'sv', 'ar']) {
  test(`an extension: the account fits a phone in ${language}`, async () => {
    const it = await show(page({ language }), { app: app(), size: SIZES.phone });
    await it.getByRole('combobox').nth(2).waitFor();
    await assertFitsWidth(it);
    assert.doesNotMatch(await it.locator('main').innerText(), /{{|standing\.|tier\.|entry\.|benefit\.|refused\.|referral\./);
    assertNoErrors(it);
    if (language === 'ja') await screenshot(it, 'ext-account-japanese');
  });
}
