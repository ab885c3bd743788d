import { getExtension } from '@shopify/ui-extensions-tester';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { decode } from '../../screen/src/echo.js';

const reported = () => {
  const field = document.querySelector('s-text-area');
  return JSON.parse(field.value ?? field.getAttribute('value'));
};

function tester(target) {
  const extension = getExtension(target);
  beforeEach(() => {
    vi.useFakeTimers();
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

describe('the tile', () => {
  const extension = tester('pos.home.tile.render');

  test('opens the report', async () => {
    extension.shopify.action.presentModal = vi.fn();
    await extension.render();
    document.querySelector('s-tile').dispatchEvent(new Event('click'));
    expect(extension.shopify.action.presentModal).toHaveBeenCalled();
  });
});

describe('the report', () => {
  const extension = tester('pos.home.modal.render');

  /** A till whose Function sees a property, or not; `undefined` shows no discount at all. */
  async function pressed(sees) {
    const { cart } = extension.shopify;
    cart.addCartProperties = vi.fn(async (properties) => {
      const bits = 4 | (sees ? 2 : 0);
      const cartDiscounts = sees === undefined ? [] : [{ amount: (bits + 1) / 100, discountDescription: decode(bits + 1).message }];
      cart.current.value = { ...cart.current.value, properties, cartDiscounts };
    });
    await extension.render();
    await vi.advanceTimersByTimeAsync(10);
    document.querySelector('s-button').dispatchEvent(new Event('click'));
    await vi.advanceTimersByTimeAsync(11_000);
    return reported();
  }

  test.each([
    [true, { pos_cart_properties: 'visible' }],
    [false, { pos_cart_properties: 'hidden' }],
    [undefined, {}],
  ])('a Function that sees a property: %s', async (sees, switches) => {
    const said = await pressed(sees);
    expect(said.switches).toEqual(switches);
    expect(said.seen.properties).toEqual({ _probe: '1' });
    expect(extension.shopify.cart.addCartProperties).toHaveBeenCalledWith({ _probe: '1' });
  });

  test('a cart that cannot be changed is told with the reason', async () => {
    extension.shopify.cart.addCartProperties = () => Promise.reject(new Error('offline'));
    await extension.render();
    await vi.advanceTimersByTimeAsync(10);
    document.querySelector('s-button').dispatchEvent(new Event('click'));
    await vi.advanceTimersByTimeAsync(10);
    expect(reported()).toMatchObject({ switches: {}, seen: { echo: 'Error: offline' } });
  });
});
