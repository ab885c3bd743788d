import { expect, test, vi } from 'vitest';

import { account, door, problem } from '../../../rewards-ui/tests/app.js';
import { BY_POINTS, HIGHEST, IN_DEBT, NO_TIERS, progress, REACHED, takes } from '../../../rewards-ui/tests/progress.js';
import { button, click, shown, stage } from './stage.js';

const extension = stage('customer-account.page.render');

const SILVER = { id: 'silver', name: 'Silver' };
const GOLD = { id: 'gold', name: 'Gold' };
const inSilver = account({ tier: SILVER });
const app = (tier, rest = {}) => ({ 'GET /account': inSilver, 'GET /rewards': [], 'GET /history': [], 'GET /tier': tier, ...rest });

async function until(...texts) {
  for (const text of texts) await vi.waitFor(() => expect(shown()).toContain(text));
}

const bar = () => {
  const it = document.querySelector('s-progress');
  return it && ['value', 'max', 'accessibilityLabel'].map((name) => it[name] ?? it.getAttribute(name));
};

test('a member sees what the next tier takes, and until when there is enough for the own one', async () => {
  door(extension, app(progress()));
  await extension.render();
  const counted = '£320.00 of £500.00 spent since Nov 28, 2025';
  await until(
    'Your tier',
    '£180.00 to go to Gold',
    counted,
    'On Mar 12, 2027, what you have stops being enough for Silver, unless you add to it.',
  );
  expect(bar().map(String)).toEqual(['32000', '50000', counted]);
});

test('points are counted as points', async () => {
  door(extension, app(BY_POINTS));
  await extension.render();
  await until('300 points to go to Gold', '1,200 of 1,500 points collected since Nov 28, 2025');
});

test('whoever has what the next tier takes is told that the shop decides', async () => {
  door(extension, app(REACHED));
  await extension.render();
  await until('You have what Gold takes. The shop decides when you move up.');
  expect(bar()[0], 'the bar is full, and no fuller').toEqual(bar()[1]);
});

test('whoever has not enough for the own tier any more is told what is missing for that', async () => {
  door(extension, app(IN_DEBT));
  await extension.render();
  await until('£205.00 more, and you have enough for Silver again.', '-£5.00 of £200.00 spent');
  expect(bar().map(String).slice(0, 2)).toEqual(['0', '20000']);
  expect(shown()).not.toContain('Gold');
});

test('the highest tier is the end, with the day on which there is not enough for it', async () => {
  door(extension, app(HIGHEST));
  await extension.render();
  await until('There is no tier above Gold.', 'On Mar 12, 2027, what you have stops being enough for Gold');
  expect(bar()).toBeNull();
});

test.each([
  ['a program without tiers', NO_TIERS],
  ['a tier that staff give, where no other is to be reached', progress({ tier: { ...SILVER, takes: null }, next: null })],
  ['a measure of tomorrow', progress({ tier: null, next: { ...GOLD, takes: takes(1, 2, { measure: 'visits' }) } })],
])('%s has nothing to say', async (_, answer) => {
  const { asked } = door(extension, app(answer));
  await extension.render();
  await until('1,392 points');
  await vi.waitFor(() => expect(asked.map(({ name }) => name)).toContain('GET /tier'));
  expect(shown()).not.toContain('Your tier');
});

test.each([
  ['not answered', problem(500, 'internal')],
  ['nothing', {}],
  ['a tier without a name', progress({ next: { id: 'gold', takes: null } })],
  ['an amount that is none', progress({ next: { ...GOLD, takes: takes(0.5, 1) } })],
  ['money without a currency', progress({ currency: null })],
])('a member whose progress is %s is told so, and may ask again', async (_, answer) => {
  const { answers } = door(extension, app(answer));
  await extension.render();
  await until('How far you are is not known just now.', '1,392 points');
  answers['GET /tier'] = progress();
  click('Try again');
  await until('£180.00 to go to Gold');
  expect(button('Try again')).toBeUndefined();
});

test('whoever has no tier is not bothered with what is not known', async () => {
  door(extension, app(problem(500, 'internal'), { 'GET /account': account() }));
  await extension.render();
  await until('1,392 points');
  expect(shown()).not.toContain('How far you are');
});
