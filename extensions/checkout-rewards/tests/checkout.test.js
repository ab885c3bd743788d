import { expect, test, vi } from 'vitest';

import { account, door, problem } from '../../../rewards-ui/tests/app.js';
import { FIVE_OFF, give, IN_STEPS, member } from '../../../rewards-ui/tests/given.js';
import { HOLD, redemption } from '../../../rewards-ui/tests/redemption.js';
import { button, click, discount, marked, marks, metafield, refuses, shown, stage } from './stage.js';

const extension = stage('purchase.checkout.block.render');

const offersOf = (points, rewards, rest = {}) => give({ ...member(points), rewards, ...rest });

test('a member sees the balance, what it buys here, and what is nearly there', async () => {
  const nextReward = { id: 'tenth', name: '10 % off', missing: 108 };
  offersOf(1392, [FIVE_OFF], { nextReward, earns: 25 });
  door(extension);
  await extension.render();
  expect(shown()).toContain('1,392 points');
  expect(shown()).toContain('£5.00 off for 450 points');
  expect(shown()).toContain('108 points more for: 10 % off');
  expect(shown()).toContain('This order earns 25 points.');
});

test('a pick holds points, marks the cart, and is confirmed by what checkout takes off', async () => {
  offersOf(1392, [FIVE_OFF]);
  const { asked } = door(extension, { 'POST /redemptions': redemption() });
  const change = marks(extension, [discount(5)]);
  await extension.render();
  click('Use');
  await vi.waitFor(() => expect(button('Take it back')).toBeDefined());
  expect(shown()).toContain('Applied: £5.00 off for 450 points');
  const { body, token } = asked.find(({ name }) => name === 'POST /redemptions');
  expect(body).toEqual({ reward: 'five', currency: 'GBP', scope: 'cart' });
  expect(token).toBe('Bearer mock-session-token');
  expect(marked(change)).toEqual([{ v: 1, hold: HOLD, attempt: 1 }]);
  expect(button('Use'), 'what stands is not offered again').toBeUndefined();
});

test('each pick marks the cart with a higher number', async () => {
  offersOf(1392, [FIVE_OFF, { ...FIVE_OFF, id: 'ten', name: 'Another' }]);
  const second = redemption({ id: HOLD.replace('0', 'f'), reward: 'ten' });
  const { answers } = door(extension, { 'POST /redemptions': redemption() });
  const change = marks(extension, [discount(5)]);
  extension.shopify.appMetafields.value = [
    metafield('cart', 'redemption', JSON.stringify({ v: 1, hold: HOLD, attempt: 4 })),
  ];
  answers['GET /account'] = account({ redemption: redemption() });
  await extension.render();
  answers['POST /redemptions'] = second;
  await vi.waitFor(() => click('Use'));
  await vi.waitFor(() => expect(marked(change)).toEqual([{ v: 1, hold: second.id, attempt: 5 }]));
});

test('in steps, as many points are held as were chosen', async () => {
  offersOf(250, [IN_STEPS]);
  const picked = redemption({ reward: 'money', points: 100 });
  const { asked } = door(extension, { 'POST /redemptions': picked });
  marks(extension, [discount(1)]);
  await extension.render();
  const select = document.querySelector('s-select');
  expect(select.getAttribute('value'), 'the most there is').toBe('200');
  select.value = '100';
  select.dispatchEvent(new Event('change'));
  await vi.waitFor(() => expect(button('Use').getAttribute('accessibilityLabel')).toContain('100'));
  click('Use');
  await vi.waitFor(() => expect(asked.find(({ name }) => name === 'POST /redemptions')?.body.points).toBe(100));
});

test('a pick that is not published in time is waited for, and marked only then', async () => {
  vi.useFakeTimers();
  offersOf(1392, [FIVE_OFF]);
  const opening = redemption({ state: 'opening', mark: undefined });
  let looks = 0;
  const asks = () => account({ redemption: [null, opening, opening, redemption()][looks++] });
  door(extension, { 'POST /redemptions': opening, 'GET /account': asks });
  const change = marks(extension, [discount(5)]);
  await extension.render();
  click('Use');
  await vi.advanceTimersByTimeAsync(600);
  expect(change).not.toHaveBeenCalled();
  expect(shown()).toContain('Setting points aside…');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(marked(change)).toEqual([{ v: 1, hold: HOLD, attempt: 1 }]);
  expect(shown()).toContain('Applied: £5.00 off for 450 points');
});

test('a pick that is never published says so, and marks nothing', async () => {
  vi.useFakeTimers();
  offersOf(1392, [FIVE_OFF]);
  const opening = redemption({ state: 'opening', mark: undefined });
  let looks = 0;
  door(extension, {
    'POST /redemptions': opening,
    'GET /account': () => account({ redemption: looks++ ? opening : null }),
  });
  const change = marks(extension);
  await extension.render();
  click('Use');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(shown()).toContain('The shop has not answered yet.');
  expect(change).not.toHaveBeenCalled();
});

test('a checkout that takes nothing off is not believed to', async () => {
  vi.useFakeTimers();
  offersOf(1392, [FIVE_OFF]);
  door(extension, { 'POST /redemptions': redemption() });
  const change = marks(extension, [
    discount(3, 'Summer sale'),
    { ...discount(5), type: 'code', title: undefined, code: 'FIVE' },
  ]);
  await extension.render();
  click('Use');
  await vi.advanceTimersByTimeAsync(2_000);
  expect(shown()).toContain('450 points set aside. The discount follows in a moment.');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(shown()).toContain('450 points set aside, but there is no discount yet.');
  click('Try again');
  await vi.advanceTimersByTimeAsync(100);
  expect(marked(change).map(({ attempt }) => attempt)).toEqual([1, 2]);
});

test('what is taken back leaves the cart first, then the points are free', async () => {
  offersOf(1392, [FIVE_OFF]);
  const closing = redemption({ state: 'closing', mark: undefined });
  const { asked } = door(extension, { 'POST /redemptions': redemption(), [`DELETE /redemptions/${HOLD}`]: closing });
  const change = marks(extension, [discount(5)]);
  await extension.render();
  click('Use');
  await vi.waitFor(() => click('Take it back'));
  await vi.waitFor(() => expect(shown()).toContain('450 points on their way back.'));
  expect(button('Use'), 'and may be had after all').toBeDefined();
  expect(change.mock.calls.at(-1)).toEqual([{ type: 'removeCartMetafield', namespace: '$app', key: 'redemption' }]);
  expect(asked.map(({ name }) => name)).toContain(`DELETE /redemptions/${HOLD}`);
});

test('a cart that cannot be marked gives the points back', async () => {
  offersOf(1392, [FIVE_OFF]);
  const closing = redemption({ state: 'closing', mark: undefined });
  const { asked } = door(extension, { 'POST /redemptions': redemption(), [`DELETE /redemptions/${HOLD}`]: closing });
  refuses(extension);
  await extension.render();
  click('Use');
  await vi.waitFor(() => expect(shown()).toContain('With this way to pay, points cannot be used.'));
  expect(asked.map(({ name }) => name)).toContain(`DELETE /redemptions/${HOLD}`);
});

test('a cart that is never marked is waited for with an end, and gives the points back', async () => {
  vi.useFakeTimers();
  offersOf(1392, [FIVE_OFF]);
  const closing = redemption({ state: 'closing', mark: undefined });
  door(extension, { 'POST /redemptions': redemption(), [`DELETE /redemptions/${HOLD}`]: closing });
  extension.shopify.applyMetafieldChange = () => new Promise(() => {});
  await extension.render();
  click('Use');
  await vi.advanceTimersByTimeAsync(15_000);
  expect(shown()).toContain('With this way to pay, points cannot be used.');
  expect(shown()).toContain('450 points on their way back.');
});

test.each([
  [
    'where the cart takes no marks',
    ({ shopify }) => (shopify.instructions.value.metafields.canSetCartMetafields = false),
  ],
  ['with a wallet', ({ shopify }) => (shopify.selectedPaymentOptions.value = [{ type: 'wallet', handle: 'x' }])],
])('nothing is offered %s', async (_, change) => {
  offersOf(1392, [FIVE_OFF]);
  door(extension);
  change(extension);
  await extension.render();
  expect(shown()).toContain('1,392 points');
  expect(document.querySelector('s-button')).toBeNull();
});

test('a guest is told what signing in would bring, and offered nothing', async () => {
  give({ rewards: [FIVE_OFF], earns: 25 });
  door(extension, { 'GET /account': problem(401, 'not_signed_in') });
  await extension.render();
  expect(shown()).toContain('Sign in to collect 25 points with this order');
  expect(document.querySelector('s-button')).toBeNull();
});

test('without a programme there is nothing', async () => {
  door(extension);
  await extension.render();
  expect(shown()).toBe('');
});

test.each([
  [409, 'redemption_ended', 'Another window picked something else meanwhile.'],
  [422, 'insufficient_points', 'There are not enough points for this reward.'],
  [422, 'sold_out', 'This reward has just run out.'],
  [422, 'a_code_of_tomorrow', 'That did not work. Please try again.'],
  [401, 'not_signed_in', 'You are signed out.'],
  [401, 'invalid_session_token', 'That did not work.'],
  [429, 'too_many_requests', 'That was a bit fast.'],
  [500, 'internal', 'The loyalty service does not answer just now.'],
])('a pick that is refused with %i %s says why, and marks nothing', async (status, code, says) => {
  offersOf(1392, [FIVE_OFF]);
  door(extension, { 'POST /redemptions': problem(status, code) });
  const change = marks(extension);
  await extension.render();
  click('Use');
  await vi.waitFor(() => expect(shown()).toContain(says));
  expect(change).not.toHaveBeenCalled();
  expect(button('Use'), 'and can be tried again').toBeDefined();
});

const down = () => Promise.reject(new TypeError('Failed to fetch'));

test.each([
  ['is down', { 'POST /redemptions': down }],
  ['answers in another tongue', { 'POST /redemptions': () => new Response('<html>') }],
  ['answers something else', { 'POST /redemptions': { id: 7 } }],
  ['answers a list', { 'POST /redemptions': [] }],
  ['answers with an error that is no JSON', { 'POST /redemptions': new Response('Bad gateway', { status: 502 }) }],
])('an app that %s is told of', async (_, answers) => {
  offersOf(1392, [FIVE_OFF]);
  door(extension, answers);
  await extension.render();
  click('Use');
  await vi.waitFor(() => expect(shown()).toContain('The loyalty service does not answer just now.'));
});

test('an app that never answers is waited for with an end', async () => {
  vi.useFakeTimers();
  offersOf(1392, [FIVE_OFF]);
  door(extension, { 'POST /redemptions': () => new Promise(() => {}) });
  await extension.render();
  click('Use');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(shown()).toContain('The loyalty service does not answer just now.');
});

test('without a token nothing is asked', async () => {
  offersOf(1392, [FIVE_OFF]);
  const { asked } = door(extension);
  extension.shopify.sessionToken.get = () => Promise.reject(new Error('no token'));
  await extension.render();
  click('Use');
  await vi.waitFor(() => expect(shown()).toContain('The loyalty service does not answer just now.'));
  expect(asked).toEqual([]);
});

test('while the app is down, what stands is shown by the metafield', async () => {
  const hold = {
    id: HOLD,
    kind: 'amount',
    points: 450,
    currency: 'GBP',
    scope: 'next_order',
    applies: true,
    worth: 500,
    costs: 450,
  };
  offersOf(942, [], { hold });
  door(extension, { 'GET /account': down });
  extension.shopify.discountAllocations.value = [discount(5)];
  await extension.render();
  expect(shown()).toContain('Applied: £5.00 off for 450 points');
});

test('a redemption for another currency can be taken back, and nothing else', async () => {
  offersOf(1092, []);
  const yen = redemption({ currency: 'JPY', points: 300 });
  door(extension, { 'GET /account': account({ redemption: yen }) });
  await extension.render();
  await vi.waitFor(() => expect(shown()).toContain('300 points set aside for a cart in JPY.'));
  expect(button('Use it here')).toBeUndefined();
  expect(button('Take it back')).toBeDefined();
});

test('what was picked in another tab can be used here', async () => {
  offersOf(942, []);
  door(extension, { 'GET /account': account({ redemption: redemption() }) });
  const change = marks(extension, [discount(5)]);
  await extension.render();
  await vi.waitFor(() => click('Use it here'));
  await vi.waitFor(() => expect(shown()).toContain('Applied: £5.00 off for 450 points'));
  expect(marked(change)).toEqual([{ v: 1, hold: HOLD, attempt: 1 }]);
});

test('a mark that names nothing any more is taken away', async () => {
  offersOf(1392, [FIVE_OFF]);
  door(extension);
  extension.shopify.appMetafields.value = [
    metafield('cart', 'redemption', JSON.stringify({ v: 1, hold: HOLD, attempt: 1 })),
  ];
  const change = marks(extension);
  await extension.render();
  await vi.waitFor(() =>
    expect(change).toHaveBeenCalledWith({ type: 'removeCartMetafield', namespace: '$app', key: 'redemption' }),
  );
});

test('a mark stays while the app cannot be asked', async () => {
  offersOf(1392, [FIVE_OFF]);
  door(extension, { 'GET /account': down });
  extension.shopify.appMetafields.value = [
    metafield('cart', 'redemption', JSON.stringify({ v: 1, hold: HOLD, attempt: 1 })),
  ];
  const change = marks(extension);
  await extension.render();
  await vi.waitFor(() => expect(extension.fetch).toHaveBeenCalled());
  expect(change).not.toHaveBeenCalled();
});

test('names of rewards are text, whatever is written in them', async () => {
  const name = '<img src=x onerror=alert(1)>{{points}}';
  offersOf(1392, [{ ...FIVE_OFF, name }], { nextReward: { id: 'x', name, missing: 1 } });
  door(extension);
  await extension.render();
  expect(document.querySelector('img')).toBeNull();
  expect(shown()).toContain(name);
});
