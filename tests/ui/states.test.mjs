// Every state of every surface: what it says, that it fits a phone, that axe has nothing against it, and a picture of it in
// both sizes in target/screenshots, for people to look at.
//
//     CHROMIUM=/usr/bin/chromium node --test tests/ui/states.test.mjs

import { test } from 'node:test';

import { assertFitsWidth, assertNoErrors, screenshot, SIZES } from '../browser/browser.mjs';
import { HOLD, redemption } from '../../rewards-ui/tests/redemption.js';
import { BY_POINTS, HIGHEST, NO_TIERS, progress, REACHED, SHORT } from '../../rewards-ui/tests/progress.js';
import { GIVES, referral } from '../../rewards-ui/tests/referral.js';
import { ACCOUNT, assertAccessible, checkout, discount, metafield, stage } from './stage.mjs';

const show = stage();

const MEMBER = { points: 1392, pending: 43, held: 0, redemption: null };
const APP = { 'GET /account': MEMBER, 'POST /redemptions': redemption() };
const standing = (rest = {}) => ({ ...APP, 'GET /account': { ...MEMBER, points: 942, redemption: redemption(rest) } });
const refused = (status, code) => [status, { type: 'about:blank', status, code }];
const GUEST = refused(401, 'not_signed_in');
const PICK = 'Use 450 points: 5 off your order';
const MARK = metafield('cart', 'redemption', { v: 1, hold: HOLD, attempt: 1 });
const marked = (rest = {}) => {
  const options = checkout(rest);
  options.signals.appMetafields.push(MARK);
  return options;
};

/** A name; what the surface shows to the extension; the app's answers; the button that is pressed; what is said then. */
const CHECKOUT = [
  ['picking', checkout(), { ...APP, 'POST /redemptions': 'never' }, PICK, 'Setting points aside…'],
  ['confirming', checkout(), APP, PICK, '450 points set aside. The discount follows in a moment.'],
  ['unconfirmed', marked(), standing(), null, '450 points set aside, but there is no discount yet.'],
  ['elsewhere', checkout(), standing(), null, '450 points set aside for another cart.'],
  ['other-currency', checkout(), standing({ currency: 'EUR' }), null, '450 points set aside for a cart in EUR.'],
  ['opening', checkout(), standing({ state: 'opening' }), null, 'The shop is being told.'],
  [
    'guest',
    checkout({ account: null }),
    { 'GET /account': GUEST },
    null,
    'Sign in to collect 30 points with this order and to spend yours.',
  ],
  [
    'wallet',
    checkout({ signals: { selectedPaymentOptions: [{ type: 'wallet', handle: 'x' }] } }),
    APP,
    null,
    'Rewards cannot be changed with this way to pay.',
  ],
  ['signed-out', checkout(), { ...APP, 'POST /redemptions': GUEST }, PICK, 'You are signed out.'],
  ['sold-out', checkout(), { ...APP, 'POST /redemptions': refused(422, 'sold_out') }, PICK, 'This reward has just run out.'],
  [
    'another-tab',
    checkout(),
    { ...APP, 'POST /redemptions': refused(409, 'redemption_ended') },
    PICK,
    'Another window picked something else meanwhile.',
  ],
  ['down', checkout(), {}, PICK, 'The loyalty service does not answer just now.'],
  ['in-debt', checkout({ account: { ...ACCOUNT, points: -20 } }), { 'GET /account': { ...MEMBER, points: -20 } }, null, '-20 points'],
];

const after = (target, account = ACCOUNT) => ({
  ...checkout({ account }),
  target,
  fixed: { 'shop.storefrontUrl': 'https://shop.example' },
  signals: {
    ...checkout({ account }).signals,
    orderConfirmation: { order: { id: 'gid://shopify/Order/1' } },
    order: { id: 'gid://shopify/Order/1', name: '#1001' },
  },
});
const THANKS = 'purchase.thank-you.block.render';
const STATUS = 'customer-account.order-status.block.render';
const order = (answer) => ({ 'GET /orders/1/points': answer });
const joining = (guests, sign_up) => ({ ...order(GUEST), 'GET /joining': { guests, sign_up } });
const points = (posted, pending) => order({ posted, pending });
const CONFIRMATION = [
  ['thanks-expected', after(THANKS), order(refused(404, 'order_not_yet_known')), null, 'This order earns 30 points.'],
  ['thanks-earned', after(THANKS), points(30, 0), null, 'You earned 30 points with this order.'],
  ['thanks-waiting', after(THANKS), points(0, 30), null, '30 points from this order are on the way to you.'],
  [
    'thanks-guest',
    after(THANKS, null),
    joining('earn', null),
    null,
    'Create an account with the e-mail address of this order, and 30 points are yours.',
  ],
  ['thanks-welcome', after(THANKS, null), joining('earn_nothing', 100), null, 'Create an account, and you start with 100 points.'],
  ['thanks-unknown', after(THANKS), order(refused(404, 'unknown_order')), null, 'The points of this order will soon be in your account.'],
  ['status-earned', after(STATUS), points(30, 0), null, 'You earned 30 points with this order.'],
];

const PROFILE = [
  [
    'profile',
    { handle: 'account-rewards-profile', target: 'customer-account.profile.block.render' },
    { 'GET /account': { ...MEMBER, seq: 1 }, 'GET /tier': progress() },
    null,
    '£180.00 to go to Gold',
  ],
];

const accountPage = (tier, rest = {}) => [
  {
    handle: 'account-rewards',
    target: 'customer-account.page.render',
    answer: { shop: { paymentSettings: { currencyCode: 'GBP', enabledPresentmentCurrencies: ['GBP'] } } },
  },
  {
    'GET /account': { ...MEMBER, seq: 1, tier: { id: 'silver', name: 'Silver' }, ...rest },
    'GET /tier': tier,
    'GET /rewards': [],
    'GET /history': [],
    'GET /birthday': { birthday: '05-27' },
  },
  null,
];
const TIERS = [
  ['tier-on-the-way', ...accountPage(progress()), '£180.00 to go to Gold'],
  ['tier-by-points', ...accountPage(BY_POINTS), '300 points to go to Gold'],
  ['tier-reached', ...accountPage(REACHED), 'You have what Gold takes.'],
  ['tier-short', ...accountPage(SHORT), '£40.00 more, and you have enough for Silver again.'],
  ['tier-highest', ...accountPage(HIGHEST, { tier: { id: 'gold', name: 'Gold' } }), 'There is no tier above Gold.'],
  ['tier-none', ...accountPage(NO_TIERS, { tier: null }), 'May 27'],
  ['tier-unknown', ...accountPage(refused(500, 'internal')), 'How far you are is not known just now.'],
];

const [page, all] = accountPage(NO_TIERS, { tier: null });
const inviting = (answer) => [
  { ...page, answer: { shop: { ...page.answer.shop, metafield: { value: JSON.stringify({ v: 1, referrals: GIVES }) } } } },
  { ...all, 'GET /referral': answer },
  null,
];
const REFERRALS = [
  ['referral', ...inviting(referral()), 'Friends who have brought you points: 2'],
  ['referral-new', ...inviting(referral({ waiting: 0, completed: 0, points: 0 })), 'Your friend gets 100 points for it.'],
  ['referral-waits', ...inviting('never'), 'Invite friends'],
  ['referral-unknown', ...inviting(refused(500, 'internal')), 'The loyalty service does not answer just now.'],
];

const ALL = [...CHECKOUT, ...CONFIRMATION, ...PROFILE, ...TIERS, ...REFERRALS];
for (const [name, options, app, press, says] of ALL) {
  test(`an extension: ${name} is shown as it should be`, async () => {
    const page = await show(options, { app });
    if (press) await page.getByRole('button', { name: press }).click();
    // Checkout has its ten seconds to confirm.
    await page.getByText(says, { exact: false }).first().waitFor({ timeout: 30_000 });
    await assertAccessible(page);
    await page.setViewportSize(SIZES.phone);
    await assertFitsWidth(page);
    await screenshot(page, `state-${name}`);
    // A browser writes down what is answered with an error.
    page.errors = page.errors.filter((error) => !error.startsWith('Failed to load resource'));
    assertNoErrors(page);
  });
}

test('an extension: a discount code beside a reward is not taken for it', async () => {
  const code = { type: 'code', code: 'SAVE5', title: 'Loyalty points', discountedAmount: discount(5).discountedAmount };
  const page = await show(marked({ signals: { discountAllocations: [code] } }), { app: standing() });
  await page.getByText('450 points set aside. The discount follows in a moment.').waitFor();
  await page.evaluate((all) => extension.set('discountAllocations', all), [code, discount(5)]);
  await page.getByText('Applied: £5.00 off for 450 points').waitFor();
  await screenshot(page, 'state-with-a-code');
  assertNoErrors(page);
});

test('an extension: a checkout shows what it has confirmed', async () => {
  const page = await show(marked({ signals: { discountAllocations: [discount(5)] } }), { app: standing() });
  await page.getByText('Applied: £5.00 off for 450 points').waitFor();
  await screenshot(page, 'state-confirmed');
  assertNoErrors(page);
});
