// The checkout block in a real browser: a real worker, the bundle that would be deployed, a strict content policy.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertNoErrors, screenshot } from '../browser/browser.mjs';
import { HOLD, redemption } from '../../rewards-ui/tests/redemption.js';
import { assertAccessible, checkout, discount, stage } from './stage.mjs';

const show = stage();

const app = (rest = {}) => ({
  'GET /account': { points: 1392, pending: 43, held: 0, redemption: null },
  'POST /redemptions': redemption(),
  [`DELETE /redemptions/${HOLD}`]: redemption({ state: 'closing' }),
  ...rest,
});
const use = (page, name) => page.getByRole('button', { name: new RegExp(`^Use .*: ${name}$`) });

test('an extension: a reward is picked, confirmed and taken back', async () => {
  const page = await show(checkout({ allocations: [discount(5)] }), { app: app() });
  await page.getByText('1,392 points').waitFor();
  await page.getByText('43 points on the way').waitFor();
  await page.getByText('108 points more for: A grinder').waitFor();
  await assertAccessible(page);
  await screenshot(page, 'ext-checkout-rewards');
  await use(page, '5 off your order').click();
  await page.getByText('Applied: £5.00 off for 450 points').waitFor();
  assert.deepEqual(
    (await page.evaluate(() => asked)).map(({ metafield: { value } }) => JSON.parse(value)),
    [{ v: 1, hold: HOLD, attempt: 1 }],
  );
  await assertAccessible(page);
  await screenshot(page, 'ext-checkout-confirmed');
  await page.getByRole('button', { name: 'Take it back' }).click();
  await page.getByText('450 points on their way back.').waitFor();
  await screenshot(page, 'ext-checkout-closing');
  assertNoErrors(page);
});

test('an extension: a keyboard and nothing else', async () => {
  const page = await show(checkout({ allocations: [discount(3)] }), {
    app: app({ 'POST /redemptions': redemption({ reward: 'money', points: 300 }) }),
  });
  await page.getByText('1,392 points').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  // What is chosen goes through the worker and back: whoever is faster than that chooses from what was there before.
  for (const [key, points] of [['Home', 100], ['ArrowDown', 200], ['ArrowDown', 300]]) {
    await page.keyboard.press(key);
    await use(page, 'Points as money').and(page.getByLabel(`Use ${points} points`)).waitFor();
  }
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('Applied: £3.00 off for 300 points').waitFor();
  assert.ok(page.requests.includes('POST /redemptions'));
  assertNoErrors(page);
});
