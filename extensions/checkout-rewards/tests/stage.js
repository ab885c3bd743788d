// The checkout block in Shopify's tester, with a cart in pounds.

import { getExtension } from '@shopify/ui-extensions-tester';
import { createCartLine, createResult } from '@shopify/ui-extensions-tester/checkout';
import { signal } from '@preact/signals';
import { afterEach, beforeEach, vi } from 'vitest';

import { give } from '../../../rewards-ui/tests/given.js';
import { i18n } from '../../../tests/ui/host/i18n.js';
import words from '../locales/en.default.json';

const pounds = (amount) => ({ amount, currencyCode: 'GBP' });

/** The extension, set up anew for each test: its signals work, its words are English, its cart takes marks. */
export function stage(target) {
  const extension = getExtension(target);
  beforeEach(() => {
    extension.setUp();
    give({});
    const { shopify } = extension;
    const variant = createCartLine().merchandise;
    const line = createCartLine({ quantity: 2, cost: { totalAmount: pounds(30.4) }, merchandise: variant });
    shopify.lines = signal([line]);
    shopify.localization.currency = signal({ isoCode: 'GBP' });
    shopify.discountAllocations = signal([]);
    shopify.appMetafields = signal([]);
    shopify.i18n = i18n(words, 'en');
  });
  afterEach(() => {
    extension.tearDown();
    vi.unstubAllEnvs();
    vi.useRealTimers();
  });
  return extension;
}

export const discount = (amount, title = 'Loyalty points') => ({
  type: 'automatic',
  title,
  discountedAmount: pounds(amount),
});

/** A checkout that gives a discount as soon as its cart is marked. */
export function marks(extension, allocations = []) {
  const change = vi.fn(async (what) => {
    extension.shopify.discountAllocations.value = what.type === 'updateCartMetafield' ? allocations : [];
    return createResult('applyMetafieldChange');
  });
  extension.shopify.applyMetafieldChange = change;
  return change;
}

export const refuses = (extension) => {
  const error = createResult('applyMetafieldChange', { type: 'error', message: 'accelerated checkout' });
  extension.shopify.applyMetafieldChange = vi.fn(async () => error);
};

/** The marks that were put on the cart, oldest first. */
export const marked = (change) =>
  change.mock.calls.flatMap(([{ metafield }]) => (metafield ? [JSON.parse(metafield.value)] : []));

export const shown = () => document.body.textContent;
export const button = (text) => [...document.querySelectorAll('s-button')].find((it) => it.textContent === text);
export const click = (text) => button(text).dispatchEvent(new Event('click'));

export const metafield = (owner, key, value) => ({
  target: { type: owner, id: `gid://shopify/${owner}/1` },
  metafield: { namespace: '$app', key, value, valueType: 'json_string', type: 'json' },
});
