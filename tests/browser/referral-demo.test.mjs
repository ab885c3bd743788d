// A friend's link in the demo, from the advocate's page to the points of both: the real backend, the real webhooks.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { assertNoErrors, browser, screenshot } from './browser.mjs';
import { demo } from './demo.mjs';
import { changeProgram } from './staff.mjs';
import { eventually } from './storefront.mjs';
import { cart, panel } from './theme.mjs';

const shop = demo();
const open = browser();

/** Whether the theme has a block for friends, which it has once the shop's metafield says so. */
const hasBlock = async () => (await (await fetch(`${shop.url}/pages/friends`)).text()).includes('<loyalnest-referral');

beforeEach(async () => {
  if (await hasBlock()) return;
  await changeProgram(shop, { referrals: { advocate: 200, friend: 100, min: 2_000, days: 30, wait_days: 0 } });
  await eventually(hasBlock, true);
});

/** The theme, in a session of its own; `as` signs in. */
async function visit(where, as) {
  const page = await open(`${shop.url}${as ? '/account/login' : where}`);
  if (!as) return page;
  await signIn(page, as);
  await page.goto(shop.url + where);
  return page;
}

async function signIn(page, name) {
  await page.getByRole('button', { name }).click();
  await page.getByRole('link', { name: 'Sign out' }).waitFor();
}

const block = (page) => page.locator('#shopify-block-referral');
const balance = async (page) => {
  await page.goto(`${shop.url}/store`);
  const shown = page.locator('#shopify-block-balance strong');
  return (await shown.count()) > 0 ? Number((await shown.textContent()).replaceAll(',', '')) : 0;
};
const account = async (page) => {
  await page.goto(`${shop.url}/demo/account`);
  await page.getByRole('heading', { name: 'Invite friends' }).waitFor();
};

test('an advocate sends a link, the friend orders, and both have their points', async () => {
  const advocate = await visit('/pages/friends', 'Ada');
  await block(advocate).getByText('You get 200 points when a friend places their first order.').waitFor();
  await block(advocate).getByRole('button', { name: 'Show my link' }).click();
  const link = await block(advocate).getByRole('textbox', { name: 'Your link' }).inputValue();
  const code = new URL(link).searchParams.get('ref');
  assert.match(code, /^[2-9A-HJKMNP-TV-Z]{8}$/);
  const had = await balance(advocate);

  // The local shop is at another address than its links say.
  const friend = await visit(`/pages/friends?ref=${code.toLowerCase()}`);
  await block(friend).getByRole('heading', { name: 'A friend gives you 100 points for your first order.' }).waitFor();
  await eventually(async () => (await cart(friend, shop)).attributes._loyalty_ref, code);
  await friend.goto(`${shop.url}/products/hand-grinder`);
  await friend.getByRole('button', { name: 'Add to cart' }).click();
  await panel(friend);
  await screenshot(friend, 'referral-demo-friend');
  await friend.getByRole('link', { name: 'Sign in or create an account to get them' }).click();
  await signIn(friend, 'Dev');
  const it = await panel(friend);
  await it.getByText('A friend has invited you: 100 points are yours with your first order.').waitFor();

  await account(advocate);
  await advocate.getByText('Friends whose points are still to come: 1').waitFor();
  assert.equal(await advocate.getByText('Friends who have brought you points').count(), 0);

  await friend.request.post(`${shop.url}/shop/checkout`, { data: {} });
  await eventually(() => balance(advocate), had + 200);
  await eventually(() => balance(friend), 79 + 100);
  await account(advocate);
  await advocate.getByText('Friends who have brought you points: 1').waitFor();
  await advocate.getByText('What they brought you: 200 points').waitFor();
  await screenshot(advocate, 'referral-demo-advocate');
  assertNoErrors(advocate);
  assertNoErrors(friend);
});

test('whoever has ordered before is told so', async () => {
  const advocate = await visit('/pages/friends', 'Ada');
  await block(advocate).getByRole('button', { name: 'Show my link' }).click();
  const link = await block(advocate).getByRole('textbox', { name: 'Your link' }).inputValue();
  const page = await visit(`/pages/friends${new URL(link).search}`, 'Ben');
  await block(page).getByText('Invitations are for a first order, and you have ordered here before.').waitFor();
});

test('a code that nobody has is forgotten', async () => {
  const page = await visit('/pages/friends?ref=22222222');
  await eventually(() => page.evaluate(() => localStorage.length), 0);
  await page.waitForLoadState('networkidle');
  assert.equal((await cart(page, shop)).attributes._loyalty_ref, undefined);
  assert.equal(await block(page).getByRole('heading', { name: 'Invite friends' }).count(), 1);
});
