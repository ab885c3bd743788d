import { expect, test, vi } from 'vitest';

import { account, door, problem } from '../../../rewards-ui/tests/app.js';
import { button, click, shown, stage } from './stage.js';

const extension = stage('customer-account.page.render');

const reward = (id, kind, rest = {}) => ({
  id,
  name: id === 'credit' ? 'Money for later' : 'A present',
  points: 500,
  benefit: { kind, value: { GBP: 500 } },
  left: null,
  refused: null,
  because: null,
  again_at: null,
  ...rest,
});
const CREDIT = reward('credit', 'store_credit');
const CARD = reward('card', 'gift_card');
const payout = (state, rest = {}) => ({
  id: '018f0000-0000-4000-8000-000000000001',
  state,
  reward: 'credit',
  kind: 'store_credit',
  points: 500,
  value: 500,
  currency: 'GBP',
  reason: null,
  ...rest,
});
const LOOK = `GET /payouts/${payout('asked').id}`;

/** The app as it answers when all is well, and what it was asked. */
function shop(rewards, answers = {}) {
  return door(extension, {
    'GET /account': account(),
    'GET /rewards': rewards,
    'GET /history': [],
    'GET /birthday': { birthday: null },
    ...answers,
  });
}

/** The page when its first questions are answered, with time standing still. */
async function open() {
  vi.useFakeTimers();
  await extension.render();
  await vi.advanceTimersByTimeAsync(100);
}
/** What is paid out takes two presses. */
async function use() {
  click('Use');
  await pass(0.1);
  click('Pay it out');
}
const pass = (seconds) => vi.advanceTimersByTimeAsync(seconds * 1_000);
const wishes = (asked) => asked.filter(({ name }) => name === 'POST /payouts').map(({ body }) => body);

test('store credit is asked for, waited for, and there', async () => {
  const looks = ['sent', 'done'];
  const { asked, answers } = shop([CREDIT], { 'POST /payouts': payout('asked'), [LOOK]: () => payout(looks.shift()) });
  await open();
  expect(shown()).toContain('£5.00 of store credit for 500 points');
  await use();
  await pass(0.1);
  expect(shown()).toContain('£5.00 for 500 points is being paid out.');
  expect(button('Use').hasAttribute('disabled'), 'one at a time').toBe(true);
  answers['GET /account'] = account({ points: 892, seq: 2 });
  await pass(10);
  expect(shown()).toContain('£5.00 of store credit is in your account.');
  expect(shown()).toContain('892 points');
  const id = expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(wishes(asked)).toEqual([{ id, reward: 'credit', currency: 'GBP' }]);
});

test.each([
  ['a gift card', CARD, 'It comes by e-mail and cannot be taken back.', 'Send it', 'A gift card of £5.00 is on its way to you by e-mail.'],
  [
    'store credit',
    CREDIT,
    'It goes to your account at this shop and cannot be turned back into points.',
    'Pay it out',
    '£5.00 of store credit is in your account.',
  ],
])('%s takes a second press, and may be left be', async (_, what, sure, send, says) => {
  const done = payout('done', { kind: what.benefit.kind, reward: what.id });
  const { asked } = shop([what], { 'POST /payouts': done });
  await open();
  click('Use');
  await pass(0.1);
  expect(wishes(asked)).toEqual([]);
  expect(shown()).toContain(sure);
  click('Not now');
  await pass(0.1);
  expect(button(send)).toBeUndefined();
  click('Use');
  await pass(0.1);
  click(send);
  await pass(0.1);
  expect(shown()).toContain(says);
  expect(wishes(asked).map((wish) => wish.reward)).toEqual([what.id]);
});

test('what Shopify refuses gives the points back', async () => {
  shop([CREDIT], { 'POST /payouts': payout('asked'), [LOOK]: payout('refused', { reason: 'CREDIT_LIMIT_EXCEEDED' }) });
  await open();
  await use();
  await pass(5);
  expect(shown()).toContain('£5.00 could not be paid out. 500 points are yours again.');
  expect(button('Use').hasAttribute('disabled')).toBe(false);
});

test('what is not certain is looked for, and said to be', async () => {
  const looks = [payout('unknown'), 'down', payout('unknown'), payout('done')];
  const look = () => {
    const next = looks.length > 1 ? looks.shift() : looks[0];
    return next === 'down' ? problem(503, 'unavailable') : next;
  };
  shop([CREDIT], { 'POST /payouts': payout('sent'), [LOOK]: look });
  await open();
  await use();
  await pass(4);
  expect(shown()).toContain('It is not certain yet that £5.00 was paid out.');
  await pass(30);
  expect(shown()).toContain('£5.00 of store credit is in your account.');
});

test('a question whose answer is lost is asked again under the same name', async () => {
  const told = [problem(502, 'bad_gateway'), problem(502, 'bad_gateway'), payout('done')];
  const { asked } = shop([CREDIT], { 'POST /payouts': () => told.shift() });
  await open();
  await use();
  await pass(10);
  expect(shown()).toContain('£5.00 of store credit is in your account.');
  const ids = wishes(asked).map(({ id }) => id);
  expect([ids.length, new Set(ids).size]).toEqual([3, 1]);
});

test.each([
  [problem(422, 'insufficient_points'), 'There are not enough points for this reward.'],
  [problem(409, 'payout_under_way'), 'The shop has not answered yet. Please try again in a moment.'],
  [problem(401, 'not_signed_in'), 'You are signed out. Sign in again to see your points.'],
  [problem(500, 'internal'), 'The loyalty service does not answer just now. Your points are safe.'],
])('a payout that is not to be had says why: %#', async (answer, text) => {
  const { asked } = shop([CREDIT], { 'POST /payouts': answer });
  await open();
  await use();
  await pass(60);
  expect(shown()).toContain(text);
  expect(asked.some(({ name }) => name === LOOK)).toBe(false);
});

test('a payout that is under way when the page opens is followed', async () => {
  const standing = account({ payout: payout('unknown') });
  const { answers } = shop([CREDIT], { 'GET /account': standing, [LOOK]: payout('done') });
  await open();
  expect(shown()).toContain('It is not certain yet that £5.00 was paid out.');
  answers['GET /account'] = account({ points: 892 });
  await pass(5);
  expect(shown()).toContain('£5.00 of store credit is in your account.');
  expect(shown()).toContain('892 points');
});

test('what is not offered in a currency is not paid out in it', async () => {
  shop([reward('credit', 'store_credit', { benefit: { kind: 'store_credit', value: { EUR: 500 } } })]);
  await open();
  expect(shown()).toContain('Not offered in GBP');
  expect(button('Use')).toBeUndefined();
});
