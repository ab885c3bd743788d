// The panel's scripts without a browser: what they make of the cart, of the app's answers and of languages.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, test } from 'node:test';
import { accountOf, parsed } from '../../extensions/storefront-rewards/assets/account.js';
import { cartOf, minorUnits } from '../../extensions/storefront-rewards/assets/rules.js';
import { app, cart, Refused } from '../../extensions/storefront-rewards/assets/shop.js';
import { speaker } from '../../extensions/storefront-rewards/assets/words.js';

const item = (more = {}) => ({ variant_id: 11, product_id: 1, quantity: 2, original_price: 1000, final_line_price: 2000, gift_card: false, ...more });

test('a cart is told in minor units of its currency', () => {
  const { lines, currency, mark } = cartOf({ currency: 'GBP', items: [item()] }, 'h.1');
  assert.deepEqual([currency, mark], ['GBP', 'h.1']);
  assert.deepEqual(lines, [
    { variant: 'gid://shopify/ProductVariant/11', product: 'gid://shopify/Product/1', quantity: 2, unit: 1000, net: 2000, giftCard: false },
  ]);
  const minor = { GBP: 1234, JPY: 12, KWD: 12_340, HUF: 1234, RSD: 1234, IQD: 12_340 };
  for (const [code, amount] of Object.entries(minor)) assert.equal(minorUnits(code)(1234), amount, code);
});

test('what another discount takes off the whole cart is shared out over what it can be taken off', () => {
  for (const discount of [0, 1, 333, 2999, 3000, 99_999]) {
    const items = [item({ final_line_price: 1999 }), item({ final_line_price: 1001 }), item({ final_line_price: 5000, gift_card: true })];
    const discounts = [{ total_allocated_amount: discount }];
    const { lines } = cartOf({ currency: 'GBP', items, cart_level_discount_applications: discounts }, null);
    assert.equal(lines[2].net, 5000, 'a gift card is worth what it costs');
    assert.equal(lines[0].net + lines[1].net, Math.max(0, 3000 - discount), `${discount}`);
    assert.ok(lines.every(({ net }) => net >= 0));
  }
  assert.deepEqual(cartOf({ currency: 'GBP', items: [], cart_level_discount_applications: [{ total_allocated_amount: 5 }] }, null).lines, []);
});

test('the app’s account reads as its metafield would', () => {
  const program = { rewards: [{ id: 'tenth', benefit: { kind: 'percent', cap: { GBP: 2000 } }, min: { GBP: 500 } }] };
  const redemption = { id: 'h', state: 'live', reward: 'tenth', points: 900, kind: 'percent', value: 1000, currency: 'GBP', scope: 'cart' };
  const said = { points: 10, pending: 2, seq: 9, next: null, redemption };
  assert.deepEqual(accountOf(said, { tier: 'gold', segment: 'seg_543' }, program), {
    v: 1, seq: 9, points: 10, pending: 2, tier: 'gold', segment: 'seg_543', next: undefined,
    hold: { id: 'h', scope: 'cart', kind: 'percent', points: 900, value: 1000, cur: 'GBP', cap: 2000, min: 500, variant: undefined, label: '' },
  });
  assert.equal(accountOf({ ...said, redemption: null }, undefined, undefined).hold, undefined);
  assert.equal(accountOf({ ...said, redemption: { ...redemption, state: 'closing' } }, undefined, program).hold.points, 900);
  assert.equal(accountOf(said, undefined, undefined).hold.cap, undefined, 'a reward that is gone');
  for (const text of [undefined, '', 'null', '{"v":1,"po']) assert.equal(parsed(text), undefined, text);
});

const real = globalThis.fetch;
afterEach(() => (globalThis.fetch = real));

/** Whatever is asked is answered so. */
function answering(status, text) {
  const asked = [];
  globalThis.fetch = async (url, options) => {
    asked.push({ url, ...options });
    return new Response(text, { status });
  };
  return asked;
}

test('every answer of the app has one meaning', async () => {
  for (const [status, text, code] of [
    [401, '', 'not_signed_in'],
    [429, '<html>', 'too_many_requests'],
    [500, '{"code":"internal"}', 'down'],
    [502, 'The app did not answer.', 'down'],
    [409, '{"code":"under_review"}', 'under_review'],
    [422, '{"code":7}', 'down'],
    [404, '<html>', 'down'],
    [200, '<html>', 'down'],
    [200, '[]', 'down'],
    [200, '{"points":"1"}', 'down'],
    [200, '{"points":1.5,"pending":0,"seq":1}', 'down'],
    [200, '{"points":9007199254740993,"pending":0,"seq":1}', 'down'],
  ]) {
    answering(status, text);
    await assert.rejects(app('/apps/loyalty').account(), (error) => error instanceof Refused && error.code === code, `${status} ${text}`);
  }
  globalThis.fetch = async () => {
    throw new TypeError('offline');
  };
  await assert.rejects(app('/apps/loyalty').account(), { code: 'down' });
});

test('the cart is asked where the theme says that it is', async () => {
  const asked = answering(200, '{"items":[],"currency":"GBP","attributes":{"_loyalty":""}}');
  const shop = cart({ cart: '/fr/cart', cartUpdate: '/fr/cart/update' });
  assert.equal(shop.markOf(await shop.read()), null, 'an empty mark is none');
  await shop.mark('h.1');
  assert.deepEqual(asked.map(({ url }) => url), ['/fr/cart.js', '/fr/cart/update.js']);
  assert.deepEqual(JSON.parse(asked[1].body), { attributes: { _loyalty: 'h.1' } });
  answering(422, '{"message":"Cart Error"}');
  await assert.rejects(shop.mark('h.1'), { code: 'cart' });
});

test('sentences, points and money are written as the language does', async () => {
  const words = JSON.stringify({ 'points.one': '{number} punkt', 'points.few': '{number} punkty', 'points.many': '{number} punktów', 'points.other': '{number} punktu', 'panel.off': '{amount} zniżki' });
  const polish = speaker({ words, locale: 'pl' });
  assert.deepEqual([1, 3, 12].map(polish.points), ['1 punkt', '3 punkty', '12 punktów']);
  assert.equal(polish.say('panel.off', { amount: '{number}' }), '{number} zniżki', 'what is filled in has no places');
  assert.equal(polish.say('no.such'), '');
  const english = speaker({ words, locale: 'no language' });
  assert.deepEqual([english.money(1250, 'GBP'), english.money(1250, 'JPY'), english.money(1250, 'KWD').replace('\u00a0', ' ')], ['£12.50', '¥1,250', 'KWD 1.250']);
  const written = [[99_900, 'HUF'], [99_950, 'HUF'], [1250, 'IQD'], [1200, 'GBP']].map(([minor, code]) => english.money(minor, code).replace('\u00a0', ' '));
  assert.deepEqual(written, ['HUF 999', 'HUF 999.50', 'IQD 1.250', '£12.00']);
  assert.equal(english.day('2027-01-31'), 'January 31, 2027');
});

test('Liquid and the panel group numbers alike', async () => {
  const folder = new URL('../../extensions/storefront-rewards/locales/', import.meta.url);
  for (const locale of ['de', 'en', 'es', 'fr', 'it', 'ja', 'nl', 'pl', 'pt-BR', 'sv']) {
    const file = new URL(locale === 'en' ? 'en.default.json' : `${locale}.json`, folder);
    const { group } = JSON.parse(await readFile(file, 'utf8'));
    const parts = new Intl.NumberFormat(locale).formatToParts(1_234_567);
    assert.equal(group, parts.find(({ type }) => type === 'group').value, locale);
  }
});
