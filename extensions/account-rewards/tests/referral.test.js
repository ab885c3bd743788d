import { expect, test, vi } from 'vitest';

import { account, door, problem } from '../../../rewards-ui/tests/app.js';
import { GIVES, referral } from '../../../rewards-ui/tests/referral.js';
import { button, click, CURRENCIES, INVITES, shown, stage } from './stage.js';

const extension = stage('customer-account.page.render');

const app = (answer, rest = {}) => ({
  'GET /account': account(),
  'GET /rewards': [],
  'GET /history': [],
  'GET /tier': problem(404, 'not_found'),
  'GET /referral': answer,
  ...rest,
});

/** Renders the page of a shop that says this of itself. */
async function render(answer, says = INVITES) {
  const asked = door(extension, app(answer));
  extension.shopify.query = async () => ({ data: says });
  await extension.render();
  return asked;
}

async function until(...texts) {
  for (const text of texts) await vi.waitFor(() => expect(shown()).toContain(text));
}

const field = () => document.querySelector('s-text-field');
const tell = (what) => document.querySelector('s-clipboard-item').dispatchEvent(new Event(what));

test('a member sees what both get, their own link and what became of it', async () => {
  await render(referral());
  await until(
    'Invite friends',
    'You get 200 points when a friend places their first order.',
    'Your friend gets 100 points for it.',
    'The order must come to at least £20.00.',
    'Your friend has 30 days for it.',
    'The points come 14 days after the order.',
    'Friends who have brought you points: 2',
    'What they brought you: 400 points',
    'Friends whose points are still to come: 1',
  );
  expect(field().value ?? field().getAttribute('value')).toBe('https://tea.myshopify.com/?ref=7K3M9QXW');
});

test('nothing is said of waiting where the points come at once, or an older app does not tell', async () => {
  for (const wait_days of [0, undefined]) {
    await render(referral({ gives: { ...GIVES, wait_days } }));
    await until('Your friend has 30 days for it.');
    expect(shown()).not.toContain('The points come');
  }
});

test('the link can be copied, and where it cannot the page says how else', async () => {
  await render(referral());
  await until('Copy');
  const [copy, item] = [button('Copy'), document.querySelector('s-clipboard-item')];
  expect([copy.getAttribute('commandFor'), copy.getAttribute('command')]).toEqual([item.id, '--copy']);
  expect(item.text ?? item.getAttribute('text')).toBe('https://tea.myshopify.com/?ref=7K3M9QXW');
  tell('copy');
  await until('Copied. Now send it to a friend.');
  tell('copyerror');
  await until('It could not be copied. Select the link and copy it by hand.');
  expect(shown()).not.toContain('Copied.');
});

test.each([
  ['a day', { days: 1, wait_days: 1 }, 'Your friend has 1 day for it.', 'days'],
  ['no minimum', { min: {} }, 'Your friend gets 100 points', 'at least'],
  ['a minimum in a currency that is not the shopper’s', { min: { JPY: 2_500 } }, 'at least ¥2,500', '£'],
  ['nothing for the friend', { friend: 0 }, 'You get 200 points', 'Your friend gets'],
  ['nothing for the advocate', { advocate: 0 }, 'Your friend gets 100 points', 'You get'],
])('with %s it says no more than there is', async (_, gives, says, not) => {
  await render(referral({ gives: { ...GIVES, ...gives } }));
  await until(says);
  expect(shown()).not.toContain(not);
});

test('whoever has invited nobody yet reads no zeros', async () => {
  await render(referral({ waiting: 0, completed: 0, points: 0 }));
  await until('Invite friends', 'Your friend gets 100 points');
  expect(shown()).not.toMatch(/brought you|still to come|0 points$/);
});

const shop = (value) => ({ ...CURRENCIES, shop: { ...CURRENCIES.shop, metafield: value } });
test.each([
  ['has no referrals', shop({ value: '{"v":1,"rewards":[]}' })],
  ['is of a newer format', shop({ value: JSON.stringify({ v: 2, referrals: GIVES }) })],
  ['is no JSON', shop({ value: '{"v":1,"refer' })],
  ['is not there', shop(null)],
  ['has a list in their place', shop({ value: '{"v":1,"referrals":[]}' })],
])('where the program %s nothing is shown, and nothing is asked', async (_, says) => {
  const { asked } = await render(referral(), says);
  await until('1,392 points');
  await vi.waitFor(() => expect(asked.map(({ name }) => name)).toContain('GET /history'));
  expect(asked.map(({ name }) => name)).not.toContain('GET /referral');
  expect(shown()).not.toContain('Invite friends');
});

test('where the shop cannot be asked nothing is shown', async () => {
  const { asked } = door(extension, app(referral()));
  extension.shopify.query = () => Promise.reject(new Error('no access'));
  await extension.render();
  await until('1,392 points');
  expect(asked.map(({ name }) => name)).not.toContain('GET /referral');
});

test('a program that has dropped them since the metafield was read shows nothing', async () => {
  const { asked } = await render(problem(404, 'no_referrals'));
  await vi.waitFor(() => expect(asked.map(({ name }) => name)).toContain('GET /referral'));
  await vi.waitFor(() => expect(shown()).not.toContain('Invite friends'));
  expect(shown()).toContain('1,392 points');
});

test.each([
  ['is down', problem(500, 'internal'), 'The loyalty service does not answer just now.'],
  ['is busy', problem(429, 'too_many_requests'), 'That was a bit fast.'],
  ['answers nothing', {}, 'The loyalty service does not answer just now.'],
  ['leaves out what it gives', referral({ gives: undefined }), 'The loyalty service does not answer just now.'],
  ['gives half a point', referral({ gives: { ...GIVES, friend: 0.5 } }), 'The loyalty service does not answer just now.'],
  ['counts below zero', referral({ waiting: -1 }), 'The loyalty service does not answer just now.'],
  ['gives a script for a link', referral({ link: 'javascript:alert(1)' }), 'The loyalty service does not answer just now.'],
])('an app that %s leaves the rest of the page, and can be asked again', async (_, answer, says) => {
  const { answers } = await render(answer);
  await until('1,392 points', says);
  expect(field()).toBeNull();
  answers['GET /referral'] = referral();
  click('Try again');
  await until('Your friend gets 100 points for it.');
});

test('while it is asked there is a spinner with a name', async () => {
  let answer;
  await render(() => new Promise((told) => (answer = told)));
  await vi.waitFor(() => expect(document.querySelector('s-spinner')?.getAttribute('accessibilityLabel')).toBe('Loading'));
  expect(shown()).toContain('Invite friends');
  answer(referral());
  await until('Your friend gets 100 points for it.');
});

test('a link that is markup is text', async () => {
  const evil = 'https://tea.myshopify.com/?ref="><img src=x onerror=alert(1)>';
  await render(referral({ link: evil }));
  await until('Copy');
  expect(field().value ?? field().getAttribute('value')).toBe(evil);
  expect(document.querySelector('img')).toBeNull();
});
