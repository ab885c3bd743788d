import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { cartOf, deliveryOf, taken } from '../cart.js';
import { digits, major, minor } from '../money.js';

const money = (amount, currencyCode = 'GBP') => ({ amount, currencyCode });
const off = (amount, title, type = 'automatic') => ({ type, title, discountedAmount: money(amount) });
const line = (amount, quantity, discountAllocations = [], productType = 'Mug') => ({
  quantity,
  cost: { totalAmount: money(amount) },
  discountAllocations,
  merchandise: { id: 'gid://shopify/ProductVariant/1', product: { id: 'gid://shopify/Product/1', productType } },
});
const value = (it) => ({ value: it });
const surface = ({ lines = [], discounts = [], groups = [] } = {}) => ({
  lines: value(lines),
  discountAllocations: value(discounts),
  deliveryGroups: value(groups),
  localization: { currency: value({ isoCode: 'GBP' }) },
});
const group = (before, after, handle = 'std') => ({
  selectedDeliveryOption: { handle },
  deliveryOptions: [{ handle: 'std', cost: money(before), costAfterDiscounts: money(after) }],
});

describe('money', () => {
  test('knows the same currencies without and with three digits as the rules', () => {
    const rust = readFileSync(path.resolve(import.meta.dirname, '../../shared/src/money.rs'), 'utf8');
    const codes = (name) =>
      [...rust.match(new RegExp(`const ${name}[^=]*= \\[([^\\]]*)\\]`))[1].matchAll(/b"([A-Z]{3})"/g)].map(
        ([, code]) => code,
      );
    const [none, three] = [codes('NO_DECIMALS'), codes('THREE_DECIMALS')];
    expect([none.length, three.length]).toEqual([16, 7]);
    for (const code of Intl.supportedValuesOf('currency')) {
      expect([code, digits(code)]).toEqual([code, none.includes(code) ? 0 : three.includes(code) ? 3 : 2]);
    }
  });

  test.each([
    [12.5, 'GBP', 1250],
    [0.07, 'GBP', 7],
    [1.005, 'KWD', 1005],
    [5841, 'JPY', 5841],
    [999999999999.99, 'GBP', 99999999999999],
    [-0.1, 'EUR', -10],
  ])('%d %s is %d minor units, and back', (amount, currency, units) => {
    expect(minor(money(amount, currency))).toBe(units);
    expect(major(units, currency)).toBe(amount);
  });
});

describe('a cart', () => {
  test('has the price of a unit before discounts, and what is paid after them', () => {
    const lines = [line(27.36, 2, [off(3.04, 'Gold')]), line(8, 1)];
    const { currency, lines: read } = cartOf(surface({ lines, discounts: [off(5, 'Loyalty points')] }));
    expect(currency).toBe('GBP');
    expect(read.map(({ unit, quantity, net }) => [unit, quantity, net])).toEqual([
      [1520, 2, 2349],
      [800, 1, 687],
    ]);
  });

  test('of nothing, or for nothing, is no trouble', () => {
    expect(cartOf(surface()).lines).toEqual([]);
    expect(cartOf(surface({ lines: [line(0, 1)], discounts: [off(5, 'x')] })).lines[0]).toMatchObject({
      unit: 0,
      net: 0,
    });
  });

  test('never pays less than nothing', () => {
    expect(cartOf(surface({ lines: [line(3, 1)], discounts: [off(5, 'x')] })).lines[0].net).toBe(0);
  });

  test.each(['Gift card', 'gift_card', 'GiftCard', 'E-Gift Cards'])('knows a gift card by its type: %s', (type) => {
    expect(cartOf(surface({ lines: [line(10, 1, [], type)] })).lines[0].giftCard).toBe(true);
  });
});

describe('what is taken off', () => {
  const points = { kind: 'amount', label: 'Loyalty points' };

  test('is known by the title, on the order and on its lines', () => {
    const shop = surface({
      lines: [line(10, 1, [off(1, 'Loyalty points')])],
      discounts: [off(5, 'Loyalty points'), off(2, 'Sale')],
    });
    expect(taken(shop, points)).toBe(600);
  });

  test('is never a code', () => {
    expect(taken(surface({ discounts: [off(5, 'Loyalty points', 'code')] }), points)).toBe(0);
  });

  test('without a title is known by its worth', () => {
    const shop = surface({ discounts: [off(5, 'A'), off(3, 'B')] });
    expect(taken(shop, { kind: 'amount' }, 300)).toBe(300);
    expect(taken(shop, { kind: 'amount' }, 400)).toBe(0);
    expect(taken(surface({ discounts: [off(0, 'A')] }), { kind: 'amount' }, 0)).toBe(0);
  });

  test('off delivery shows in its price', () => {
    expect(taken(surface({ groups: [group(4.95, 0)] }), { kind: 'shipping', label: 'Loyalty points' })).toBe(495);
    expect(taken(surface({ groups: [group(4.95, 0)] }), points)).toBe(0);
    expect(taken(surface({ groups: [group(4.95, 0, 'another')] }), { kind: 'shipping' }, 495)).toBe(0);
  });

  test('of a delivery that is not chosen yet is nothing', () => {
    expect(deliveryOf([{ deliveryOptions: [], selectedDeliveryOption: undefined }])).toBeUndefined();
    // A pickup costs nothing and has no price.
    expect(
      deliveryOf([{ deliveryOptions: [{ handle: 'a' }], selectedDeliveryOption: { handle: 'a' } }]),
    ).toBeUndefined();
  });
});
