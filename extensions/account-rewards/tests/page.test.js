import { expect, test, vi } from 'vitest';

import { account, door, problem } from '../../../rewards-ui/tests/app.js';
import { HOLD, redemption } from '../../../rewards-ui/tests/redemption.js';
import { button, click, select, shown, stage } from './stage.js';

const extension = stage('customer-account.page.render');

const reward = (rest = {}) => ({
  id: 'five',
  name: '5 off your order',
  points: 450,
  benefit: { kind: 'amount', value: { GBP: 500, EUR: 600 } },
  left: null,
  refused: null,
  because: null,
  again_at: null,
  ...rest,
});
const entry = (rest = {}) => ({
  at: '2026-11-20T10:00:00Z',
  seq: 3,
  kind: 'earn',
  source_id: 'order:1001#1',
  available: 20,
  pending: 0,
  held: 0,
  ...rest,
});
const NEXT = redemption({ scope: 'next_order' });

/** The app as it answers when all is well. */
const all = (rest = {}) => ({
  'GET /account': account({ birthday: { told: false, bonus: 100 } }),
  'GET /rewards': [reward()],
  'GET /history': [entry()],
  'GET /birthday': { birthday: null },
  ...rest,
});

const until = (text) => vi.waitFor(() => expect(shown()).toContain(text));

test('a member sees balance, tier, expiry, rewards, history and birthday', async () => {
  const next = { points: 40, at: '2027-01-31' };
  const tier = { id: 'gold', name: 'Gold' };
  door(
    extension,
    all({ 'GET /account': account({ points: 1392, pending: 43, next, tier, birthday: { told: false, bonus: 100 } }) }),
  );
  await extension.render();
  for (const text of [
    '1,392 points',
    'Gold',
    '43 points on the way',
    '40 points expire on Jan 31, 2027.',
    '£5.00 off for 450 points',
    'Points earned',
    '+20',
    'Nov 20, 2026',
    'Each year on your birthday: 100 points.',
  ])
    await until(text);
});

test('a pick is for the next order, and needs no cart', async () => {
  const { asked, answers } = door(extension, all());
  answers['POST /redemptions'] = () => {
    answers['GET /account'] = account({ points: 942, held: 450, redemption: NEXT });
    return NEXT;
  };
  await extension.render();
  await vi.waitFor(() => click('Use'));
  await until('450 points set aside for your next order in GBP.');
  expect(shown()).toContain('942 points');
  const { body } = asked.find(({ name }) => name === 'POST /redemptions');
  expect(body).toEqual({ reward: 'five', currency: 'GBP', scope: 'next_order' });
  expect(button('Use'), 'what stands is not offered again').toBeUndefined();
});

test('what is set aside can be taken back', async () => {
  const { asked, answers } = door(
    extension,
    all({ 'GET /account': account({ points: 942, held: 450, redemption: NEXT }) }),
  );
  answers[`DELETE /redemptions/${HOLD}`] = () => {
    const closing = { ...NEXT, state: 'closing' };
    answers['GET /account'] = account({ points: 942, held: 450, redemption: closing });
    return closing;
  };
  await extension.render();
  await vi.waitFor(() => click('Take it back'));
  await until('450 points on their way back.');
  expect(asked.map(({ name }) => name)).toContain(`DELETE /redemptions/${HOLD}`);
  expect(button('Take it back')).toBeUndefined();
});

test('a pick that is not published in time is waited for', async () => {
  vi.useFakeTimers();
  const opening = { ...NEXT, state: 'opening' };
  const looks = [account(), account({ redemption: opening }), account({ redemption: NEXT })];
  door(
    extension,
    all({ 'POST /redemptions': opening, 'GET /account': () => (looks.length > 1 ? looks.shift() : looks[0]) }),
  );
  await extension.render();
  await vi.advanceTimersByTimeAsync(100);
  click('Use');
  await vi.advanceTimersByTimeAsync(700);
  expect(shown()).toContain('Setting points aside…');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(shown()).toContain('450 points set aside for your next order in GBP.');
});

test('another currency has its own amounts, and rewards that are not offered in it say so', async () => {
  const pounds = reward({ id: 'pounds', name: 'Pounds only', benefit: { kind: 'amount', value: { GBP: 500 } } });
  const { asked } = door(extension, all({ 'GET /rewards': [reward(), pounds], 'POST /redemptions': NEXT }));
  await extension.render();
  await until('£5.00 off for 450 points');
  select('Currency of your next order', 'EUR');
  await until('€6.00 off for 450 points');
  expect(shown()).toContain('Not offered in EUR');
  click('Use');
  await vi.waitFor(() => expect(asked.find(({ name }) => name === 'POST /redemptions')?.body.currency).toBe('EUR'));
});

test('where the shop does not say its currencies, those of the rewards count', async () => {
  extension.shopify.query = () => Promise.reject(new Error('no access'));
  door(extension, all());
  await extension.render();
  await until('£5.00 off for 450 points');
});

test('in steps, up to what there is to spend', async () => {
  const money = reward({ id: 'money', points: 100, benefit: { kind: 'steps', value: { GBP: 100 }, most: 20 } });
  const { asked } = door(
    extension,
    all({ 'GET /account': account({ points: 350 }), 'GET /rewards': [money], 'POST /redemptions': NEXT }),
  );
  await extension.render();
  await until('£3.00 off for 300 points');
  expect(shown()).not.toContain('£4.00');
  select('Points to spend', '200');
  await vi.waitFor(() => expect(button('Use').getAttribute('accessibilityLabel')).toContain('200'));
  click('Use');
  await vi.waitFor(() => expect(asked.find(({ name }) => name === 'POST /redemptions')?.body.points).toBe(200));
});

test('of a great many steps the first and the last can be had, and points held for something else cannot be spent', async () => {
  const money = reward({ id: 'money', points: 100, benefit: { kind: 'steps', value: { GBP: 100 }, most: 500 } });
  door(extension, all({ 'GET /account': account({ points: 12_050, held: 3_000 }), 'GET /rewards': [money] }));
  await extension.render();
  await until('£120.00 off for 12,000 points');
  expect(shown()).toContain('£1.00 off for 100 points');
  expect(shown()).not.toContain('£121.00');
});

test.each([
  ['insufficient_points', '200 points to go'],
  ['sold_out', 'Sold out'],
  ['other_tier', 'For members of another tier'],
  ['a_reason_of_tomorrow', 'Not available just now'],
])('a reward that is refused (%s) says why, and has no button', async (refused, says) => {
  door(extension, all({ 'GET /account': account({ points: 250 }), 'GET /rewards': [reward({ refused })] }));
  await extension.render();
  await until(says);
  expect(button('Use')).toBeUndefined();
});

test('an order explains itself on request, once', async () => {
  const text = ['10 points: Mug.', '10 points: Towel.'];
  const { asked } = door(extension, all({ 'GET /orders/1001/explain': { text } }));
  await extension.render();
  await vi.waitFor(() => click('Why?'));
  await until('10 points: Towel.');
  expect(button('Why?')).toBeUndefined();
  expect(asked.filter(({ name }) => name === 'GET /orders/1001/explain')).toHaveLength(1);
});

test('older entries come when asked for, until there are none', async () => {
  const entries = Array.from({ length: 12 }, (_, at) => entry({ seq: 12 - at, kind: at === 11 ? 'import' : 'earn' }));
  const urls = [];
  door(extension, all());
  const plain = extension.fetch;
  extension.fetch = (url, options) => {
    const { pathname, searchParams } = new URL(url);
    if (pathname !== '/ext/history') return plain(url, options);
    urls.push(searchParams.get('before'));
    const before = Number(searchParams.get('before') ?? 99);
    return new Response(
      JSON.stringify(entries.filter(({ seq }) => seq < before).slice(0, Number(searchParams.get('limit')))),
    );
  };
  await extension.render();
  await vi.waitFor(() => click('Show older'));
  await until('Points from before');
  expect(urls).toEqual([null, '3']);
  expect(button('Show older')).toBeUndefined();
});

test('a birthday is told without its year, and can be forgotten', async () => {
  const { asked } = door(
    extension,
    all({ 'POST /birthday': { birthday: '02-29' }, 'DELETE /birthday': { birthday: null } }),
  );
  await extension.render();
  await until('Birthday');
  select('Month', '2');
  await vi.waitFor(() => expect(document.querySelectorAll('s-option[value="30"]')).toHaveLength(0));
  select('Day', '29');
  await vi.waitFor(() => expect([...document.querySelectorAll('s-select')].at(-1).value).toBe('29'));
  click('Save');
  await until('February 29');
  expect(asked.find(({ name }) => name === 'POST /birthday').body).toEqual({ birthday: '02-29' });
  click('Remove');
  await vi.waitFor(() => expect(button('Save')).toBeDefined());
});

const down = () => Promise.reject(new TypeError('Failed to fetch'));

test('while the app is down the page says so, and asks again when told to', async () => {
  const { answers } = door(extension, all({ 'GET /account': down }));
  await extension.render();
  await until('The loyalty service does not answer just now.');
  answers['GET /account'] = account();
  click('Try again');
  await until('1,392 points');
});

test('one part that does not answer leaves the others', async () => {
  door(
    extension,
    all({
      'GET /rewards': problem(500, 'internal'),
      'GET /history': problem(429, 'too_many_requests'),
      'GET /birthday': down,
    }),
  );
  await extension.render();
  await until('1,392 points');
  await until('That was a bit fast.');
  expect(shown()).toContain('The loyalty service does not answer just now.');
  expect(shown()).not.toContain('Birthday');
});

test.each([
  ['nothing', {}],
  ['points as text', account({ points: '1392' })],
  ['points beyond what can be counted', account({ points: 2 ** 60 })],
  ['a list', []],
  ['a redemption without an id', account({ redemption: { state: 'live' } })],
])('an account that is %s is not shown', async (_, answer) => {
  door(extension, all({ 'GET /account': answer }));
  await extension.render();
  await until('The loyalty service does not answer just now.');
  expect(document.querySelector('s-heading')).toBeNull();
});

test('whoever signs out meanwhile is told so', async () => {
  const { answers } = door(extension, all());
  await extension.render();
  await until('£5.00 off for 450 points');
  answers['POST /redemptions'] = problem(401, 'not_signed_in');
  click('Use');
  await until('You are signed out.');
});

test('a balance below zero is shown as it is', async () => {
  door(
    extension,
    all({ 'GET /account': account({ points: -20 }), 'GET /rewards': [reward({ refused: 'insufficient_points' })] }),
  );
  await extension.render();
  await until('-20 points');
  await until('470 points to go');
});

test('whatever shop and app write is text', async () => {
  const evil = '<img src=x onerror=alert(1)>';
  door(
    extension,
    all({
      'GET /rewards': [reward({ name: evil })],
      'GET /account': account({ tier: { id: 'x', name: evil } }),
      'GET /orders/1001/explain': { text: [evil] },
    }),
  );
  await extension.render();
  await vi.waitFor(() => click('Why?'));
  await vi.waitFor(() => expect(document.querySelector('s-list-item')?.textContent).toBe(evil));
  expect(document.querySelector('img')).toBeNull();
});
