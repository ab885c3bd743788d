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

  const guest = { [POINTS]: problem(401, 'not_signed_in') };
  const joining = (guests, bonus) => ({ offered: true, guests, sign_up: bonus, first_order: null, birthday: null });

  test('invites guests, whose points wait for them', async () => {
    give({ earns: 20 });
    door(extension, { ...guest, 'GET /joining': joining('earn', 50) });
    await extension.render();
    const invitation = 'Create an account with the e-mail address of this order, and 20 points are yours.';
    await vi.waitFor(() => expect(shown()).toContain(invitation));
    expect(document.querySelector('s-link').getAttribute('href')).toBe(
      'https://mock-shop.myshopify.com/account/register',
    );
  });

  test('promises guests nothing of an order that gives them nothing', async () => {
    give({ earns: 20 });
    door(extension, { ...guest, 'GET /joining': joining('earn_nothing', 50) });
    await extension.render();
    await vi.waitFor(() => expect(shown()).toContain('Create an account, and you start with 50 points.'));
  });

  test.each([joining('earn_nothing', null), problem(500, 'internal'), { guests: 7 }])(
    'promises guests nothing where nothing is known to be given',
    async (answer) => {
      give({ earns: 20 });
      door(extension, { ...guest, 'GET /joining': answer });
      await extension.render();
      await vi.waitFor(() => expect(shown()).toBe(''));
    },
  );

  test('says nothing of an order that earns nothing', async () => {
    give({ ...member(100), earns: 0 });
    door(extension, { [POINTS]: told(0, 0) });
    await extension.render();
    await vi.waitFor(() => expect(extension.fetch).toHaveBeenCalled());
    expect(shown()).toBe('');
  });
});
