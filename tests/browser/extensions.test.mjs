// The extensions in the demo: the bundles that would be deployed, the real backend behind their own door, the real Function.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertNoErrors, browser } from './browser.mjs';
import { demo } from './demo.mjs';
import { shoot, visit } from './storefront.mjs';

const shop = demo();
const open = browser();

/** Goes to a page that runs an extension, in the same tab and so with the same cart. */
async function go(page, path) {
  await page.goto(`${shop.url}/demo/${path}`);
  await page.locator('html[data-ready]').waitFor();
}

const use = (page, name) => page.getByRole('button', { name: new RegExp(`^Use .*: ${name}$`) });

test('the account extension: a reward for the next order, and an explanation, with a keyboard alone', async () => {
  const page = await visit(open, shop, { as: 'Chiara' });
  await go(page, 'account');
  await page.getByRole('heading', { name: 'Points and rewards' }).waitFor();
  await use(page, 'Points as money').waitFor();
  await page.getByText('Points earned').first().waitFor();
  await shoot(page, 'demo-account');
  const tabTo = async (wanted) => {
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press('Tab');
      if (await wanted.evaluate((element) => element.matches(':focus')).catch(() => false)) return;
    }
    assert.fail(`${wanted} cannot be reached with the Tab key`);
  };
  await tabTo(use(page, 'Points as money'));
  await page.keyboard.press('Enter');
  await page.getByText('200 points set aside for your next order in GBP.').waitFor();
  await shoot(page, 'demo-account-aside');
  await tabTo(page.getByRole('button', { name: 'Why?' }).first());
  await page.keyboard.press('Enter');
  await page.getByRole('listitem').first().waitFor();
  await shoot(page, 'demo-account-why');

  await page.getByRole('button', { name: 'Take it back' }).click();
  await page.getByText('200 points on their way back.').waitFor();
  assertNoErrors(page);
});
