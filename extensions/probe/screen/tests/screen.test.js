// The probe's screens in Shopify's tester, in a checkout that treats metafields one way or the other.

import { signal } from '@preact/signals';
import { getExtension } from '@shopify/ui-extensions-tester';
import { createResult } from '@shopify/ui-extensions-tester/checkout';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { decode, short } from '../src/echo.js';

const reported = () => {
  const field = document.querySelector('s-text-area');
  return JSON.parse(field.value ?? field.getAttribute('value'));
};
const press = (text) => {
  const button = [...document.querySelectorAll('s-button')].find((it) => it.textContent.trim() === text);
  button.dispatchEvent(new Event('click'));
};

function tester(target) {
  const extension = getExtension(target);
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_795_827_600_000 });
    vi.spyOn(console, 'log').mockImplementation(() => {});
    extension.setUp();
  });
  afterEach(() => {
    extension.tearDown();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  return extension;
}

const allocation = (bits, title = decode(bits + 1).message) => ({
  type: 'automatic',
  title,
  discountedAmount: { amount: (bits + 1) / 100, currencyCode: 'GBP' },
});
const entry = (owner, value) => ({
  target: { type: owner, id: 'gid://shopify/X/1' },
  metafield: { namespace: 'app--1', key: 'probe', type: 'number_integer', value: String(value) },
});

describe('in the checkout', () => {
  const extension = tester('purchase.checkout.block.render');

  /** A checkout whose Function sees a cart so many writes late, and the customer's metafield so many seconds late. */
  function checkout({ late = 0, stale = 0, authenticated = true, title } = {}) {
    const { shopify } = extension;
    shopify.appMetafields = signal([entry('customer', 1)]);
    shopify.discountAllocations = signal([]);
    const writtenAt = Date.now() / 1_000 + 12;
    const written = [];
    shopify.applyMetafieldChange = vi.fn(async ({ metafield }) => {
      written.push(Number(metafield.value));
      const now = Date.now() / 1_000;
      const customer = now >= writtenAt + stale ? writtenAt : 1;
      if (now >= writtenAt) shopify.appMetafields.value = [entry('customer', writtenAt)];
      const bits = Number(authenticated) | (short(written.at(-1 - late)) << 3) | (short(customer) << 7);
      shopify.discountAllocations.value = [allocation(bits, title)];
      return createResult('applyMetafieldChange');
    });
  }

  async function watched(options) {
    checkout(options);
    await extension.render();
    await vi.advanceTimersByTimeAsync(10);
    press('Watch for 60 seconds');
    await vi.advanceTimersByTimeAsync(61_000);
    return reported();
  }

  test('it begins with the sandbox', async () => {
    checkout();
    await extension.render();
    await vi.advanceTimersByTimeAsync(10);
    const said = reported();
    expect(said.sandbox.BigInt).toBe('works');
    expect(said.switches).toEqual({});
    expect(console.log).toHaveBeenCalledWith(expect.stringContaining('"sandbox"'));
  });

  test.each([
    ['all fresh', {}, { cart_metafield_freshness: 'immediate', metafield_freshness: 'immediate', authentication: 'as_signed_in' }],
    ['a cart that is late', { late: 1 }, { cart_metafield_freshness: { stale_for: 5 }, metafield_freshness: 'immediate' }],
    ['a customer that is late', { stale: 4 }, { cart_metafield_freshness: 'immediate', metafield_freshness: { stale_for: 8 } }],
    ['nobody authenticated', { authenticated: false }, { authentication: 'false_under_shop_pay' }],
    ['titles of the node', { title: 'Probe' }, { cart_metafield_freshness: 'immediate' }],
  ])('a minute shows %s', async (_, options, switches) => {
    const said = await watched(options);
    expect(said.switches).toMatchObject(switches);
    expect(said.open).toContain('cart_to_order');
    expect(said.seen.samples).toHaveLength(12);
  });

  test('while it watches it says for how long, and cannot be begun again', async () => {
    checkout();
    await extension.render();
    await vi.advanceTimersByTimeAsync(10);
    press('Watch for 60 seconds');
    await vi.advanceTimersByTimeAsync(11_000);
    expect(document.body.textContent).toContain('10 of 60 seconds');
    expect(document.querySelector('s-button').disabled ?? document.querySelector('s-button').hasAttribute('disabled')).toBe(true);
  });

  test('a cart that cannot be changed is told with the reason', async () => {
    checkout();
    extension.shopify.applyMetafieldChange = async () => createResult('applyMetafieldChange', { type: 'error', message: 'wallet' });
    await extension.render();
    await vi.advanceTimersByTimeAsync(10);
    press('Watch for 60 seconds');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(reported()).toMatchObject({ switches: {}, seen: { refused: 'wallet', samples: [] } });
  });

  test('another discount is no echo', async () => {
    checkout({ title: 'Spring' });
    await extension.render();
    await vi.advanceTimersByTimeAsync(10);
    press('Watch for 60 seconds');
    await vi.advanceTimersByTimeAsync(61_000);
    expect(reported().switches).toEqual({});
  });
});

describe('on the thank-you page', () => {
  const extension = tester('purchase.thank-you.block.render');

  test.each([
    [undefined, { order_title: 'candidate_message' }],
    ['Probe', { order_title: 'node_title' }],
    ['Spring', {}],
  ])('a discount that is called %s', async (title, switches) => {
    extension.shopify.discountAllocations = signal([allocation(9, title)]);
    await extension.render();
    await vi.advanceTimersByTimeAsync(10);
    expect(reported().switches).toEqual(switches);
  });
});

describe('in the account', () => {
  const extension = tester('customer-account.page.render');

  test('the sandbox', async () => {
    await extension.render();
    await vi.advanceTimersByTimeAsync(10);
    expect(reported()).toMatchObject({ target: 'customer-account.page.render', sandbox: { Intl: 'works' } });
  });
});
