// The account's extensions in Shopify's tester, for a shop in pounds that also takes euros.

import { getExtension } from '@shopify/ui-extensions-tester';
import { afterEach, beforeEach, vi } from 'vitest';

import { GIVES } from '../../../rewards-ui/tests/referral.js';
import { i18n } from '../../../tests/ui/host/i18n.js';
import words from '../locales/en.default.json';

export const CURRENCIES = {
  localization: { country: { currency: { isoCode: 'GBP' } } },
  shop: { paymentSettings: { currencyCode: 'GBP', enabledPresentmentCurrencies: ['EUR', 'GBP'] } },
};

/** The shop of a program that has something for whoever invites friends. */
export const INVITES = {
  ...CURRENCIES,
  shop: { ...CURRENCIES.shop, metafield: { value: JSON.stringify({ v: 1, referrals: GIVES }) } },
};

export function stage(target) {
  const extension = getExtension(target);
  beforeEach(() => {
    extension.setUp();
    const { shopify } = extension;
    shopify.i18n = i18n(words, 'en');
    shopify.query = async () => ({ data: CURRENCIES });
  });
  afterEach(() => {
    extension.tearDown();
    vi.unstubAllEnvs();
    vi.useRealTimers();
  });
  return extension;
}

/** All that is shown, also what elements take as a property. */
export const shown = () => {
  const given = (name) => [...document.querySelectorAll(`[${name}]`)].map((it) => it.getAttribute(name));
  return [...given('heading'), ...given('label'), document.body.textContent].join('\n');
};

export const button = (text) =>
  [...document.querySelectorAll('s-button, s-link')].find((it) => it.textContent === text);
export const click = (text) => button(text).dispatchEvent(new Event('click'));

export function select(label, value) {
  const element = [...document.querySelectorAll('s-select')].find((it) => it.getAttribute('label') === label);
  element.value = value;
  element.dispatchEvent(new Event('change'));
}
