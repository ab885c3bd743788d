// The demo storefront, as its tests go about in it.

import assert from 'node:assert/strict';
import { screenshot, SIZES } from './browser.mjs';

/** Opens the shop, once it shows everything; `as` signs in. */
export async function visit(open, shop, { as, size = SIZES.desktop, session } = {}) {
  const page = await open(shop.url, size, session);
  await page.locator('html[data-ready]').waitFor();
  if (as) await signIn(page, as);
  return page;
}

export async function signIn(page, name) {
  await page.getByRole('button', { name }).click();
  await page.getByRole('heading', { name }).waitFor();
}

export const add = async (page, what) => {
  await page.getByRole('button', { name: `Add ${what} for` }).click();
  await page.getByText(`${what} is in the cart.`).waitFor();
};

export const reward = (page, name) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) });

/** Picks a reward and waits until it is in the cart. */
export async function pick(page, name) {
  await reward(page, name).getByRole('button', { name: /^Use / }).click();
  await page.getByText('are set aside for this cart', { exact: false }).first().waitFor();
}

/** Places the order and returns its card. */
export async function placeOrder(page) {
  await page.getByRole('button', { name: 'Place the order' }).click();
  const thanks = page.getByText(/^Thank you\. #\d+ is placed\.$/);
  await thanks.waitFor();
  const [name] = (await thanks.textContent()).match(/#\d+/);
  return order(page, name);
}

export const order = (page, name) => page.getByRole('listitem', { name: `Order ${name}`, exact: true });

/** The number beside a term of the account or of the cart's totals, as it is written there. */
export const figure = async (page, term) =>
  page.locator('dl div', { has: page.locator('dt', { hasText: new RegExp(`^${term}`) }) }).locator('dd').first().textContent();

/** What the account shows, once it shows this. */
export async function settled(page, points, rest = {}) {
  const want = { Points: points, 'Set aside': 0, Waiting: 0, ...rest };
  const read = async () => {
    const shown = {};
    for (const term of Object.keys(want)) shown[term] = Number((await figure(page, term)).replaceAll(',', ''));
    return shown;
  };
  await eventually(read, want);
}

/** Reads again until it is what is wanted. */
export async function eventually(read, wanted, patience = 10_000) {
  const until = Date.now() + patience;
  let last;
  do {
    last = await read();
    if (isSame(last, wanted)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (Date.now() < until);
  assert.deepEqual(last, wanted);
}

function isSame(a, b) {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

/** Screenshots from the top of the page, so that what sticks there does. */
export async function shoot(page, name) {
  await page.evaluate(() => scrollTo(0, 0));
  await screenshot(page, name);
}

/** The account metafield as the panel shows it. */
export async function metafield(page) {
  const shown = page.getByLabel('Account metafield, what changed last is marked');
  // What is gone is shown too, struck through.
  return JSON.parse(await shown.evaluate((pre) => {
    const copy = pre.cloneNode(true);
    for (const gone of copy.querySelectorAll('del')) gone.remove();
    return copy.textContent;
  }));
}

/** The ledger's lines as the panel shows them, newest first: `Earned #1008 +20 available`. */
export async function ledger(page) {
  const rows = await page.getByRole('region', { name: 'Ledger entries' }).getByRole('row').all();
  const texts = await Promise.all(rows.map((row) => row.evaluate((it) => {
    const [, what, moves] = [...it.children];
    return [...what.childNodes, ...moves.children].map((node) => node.textContent.trim()).join(' ');
  })));
  return texts.map((text) => text.replace(/hold [0-9a-f]{8}/, 'hold'));
}
