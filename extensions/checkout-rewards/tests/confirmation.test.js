import { describe, expect, test, vi } from 'vitest';

import { door, problem } from '../../../rewards-ui/tests/app.js';
import { give, member } from '../../../rewards-ui/tests/given.js';
import { shown, stage } from './stage.js';

const POINTS = 'GET /orders/1/points';
const told = (posted, pending) => ({ order: '1', posted, pending, void: false });

describe.each(['purchase.thank-you.block.render', 'customer-account.order-status.block.render'])('%s', (target) => {
  const extension = stage(target);

  test('says what the order earned', async () => {
    give({ ...member(100), earns: 20 });
    door(extension, { [POINTS]: told(20, 0) });
    await extension.render();
    await vi.waitFor(() => expect(shown()).toContain('You earned 20 points with this order.'));
  });

  test('says what waits', async () => {
    give({ ...member(100), earns: 20 });
    door(extension, { [POINTS]: told(0, 20) });
    await extension.render();
    await vi.waitFor(() => expect(shown()).toContain('20 points from this order are on the way to you.'));
  });

  test('says what is expected until the app has heard of the order, then what is', async () => {
    vi.useFakeTimers();
    give({ ...member(100), earns: 20 });
    let asked = 0;
    door(extension, { [POINTS]: () => (++asked < 3 ? problem(404, 'order_not_yet_known') : told(19, 0)) });
    const rendered = extension.render();
    await vi.advanceTimersByTimeAsync(500);
    expect(shown()).toContain('This order earns 20 points.');
    await vi.advanceTimersByTimeAsync(10_000);
    await rendered;
    expect(shown()).toContain('You earned 19 points with this order.');
  });

  test('gives up asking with words that stay true', async () => {
    vi.useFakeTimers();
    give({ ...member(100), earns: 20 });
    door(extension, { [POINTS]: () => Promise.reject(new TypeError('Failed to fetch')) });
    const rendered = extension.render();
    await vi.advanceTimersByTimeAsync(100_000);
    await rendered;
    expect(extension.fetch).toHaveBeenCalledTimes(7);
    expect(shown()).toContain('The points of this order will soon be in your account.');
  });

  test('invites guests', async () => {
    give({ earns: 20 });
    door(extension, { [POINTS]: problem(401, 'not_signed_in') });
    await extension.render();
    await vi.waitFor(() =>
      expect(shown()).toContain('Create an account with the e-mail address of this order, and 20 points are yours.'),
    );
    expect(document.querySelector('s-link').getAttribute('href')).toBe(
      'https://mock-shop.myshopify.com/account/register',
    );
  });

  test('says nothing of an order that earns nothing', async () => {
    give({ ...member(100), earns: 0 });
    door(extension, { [POINTS]: told(0, 0) });
    await extension.render();
    await vi.waitFor(() => expect(extension.fetch).toHaveBeenCalled());
    expect(shown()).toBe('');
  });
});
