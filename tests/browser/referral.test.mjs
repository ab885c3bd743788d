// A friend's link in the local shop's theme, in a real browser, beside an app that answers what a test wants it to.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { beforeEach, test } from 'node:test';
import { NO_TIERS } from '../../rewards-ui/tests/progress.js';
import { GIVES, referral } from '../../rewards-ui/tests/referral.js';
import { assertFitsWidth, assertNoErrors, assertNothingMoved, browser, focused, screenshot, SIZES, watchMoves } from './browser.mjs';
import { eventually } from './storefront.mjs';
import { account, cart, panel, PROGRAM, tell, theme, visit } from './theme.mjs';

const shop = theme();
const open = browser();
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const CODE = '7K3M9QXW';
const PAGE = '/pages/friends';
const INVITED = 'A friend gives you 100 points for your first order.';
const INVITING = { ...PROGRAM, referrals: GIVES };

beforeEach(async () => {
  shop.answers = {
    'GET /tier': { body: NO_TIERS },
    'GET /account': { body: { points: 1_500, pending: 0, held: 0, seq: 8, next: null, redemption: null } },
    [`GET /referrals/${CODE}`]: { body: { gives: { friend: 100, min: GIVES.min, days: 30, wait_days: 14 } } },
    'POST /referrals': { body: { state: 'waiting', gives: GIVES, until: '2026-12-28T00:00:00Z' } },
    'GET /referral': { body: referral() },
  };
  shop.asked.length = 0;
  await tell(shop, 'account', account(1_500));
  await tell(shop, 'program_ui', INVITING);
});

async function assertAccessible(page) {
  const found = await page.evaluate(`${axe}; axe.run(document, { rules: { 'color-contrast': { enabled: true } } })`);
  assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), []);
}

const sentBy = async (page) => (await cart(page, shop)).attributes._loyalty_ref;
const requests = (key) => shop.asked.filter((asked) => asked.key === key);
const block = (page) => page.locator('#shopify-block-referral');

test('a visitor with a friend’s link reads what they get and what to do, and nothing moves', async () => {
  const page = await visit(open, shop, `${PAGE}?ref=${CODE.toLowerCase()}`, { signedIn: false, lines: 0, before: watchMoves });
  await block(page).getByText(INVITED).waitFor();
  await block(page)
    .getByText('The order must come to at least £20.00. You have 30 days for it. The points come 14 days after the order.')
    .waitFor();
  await block(page).getByRole('link', { name: 'Sign in or create an account to get them' }).waitFor();
  assert.equal(await block(page).getByRole('link').count(), 1, 'what is said in another state is not there for whoever hears it');
  await eventually(() => sentBy(page), CODE);
  await assertNothingMoved(page);
  await assertAccessible(page);
  await assertFitsWidth(page);
  await screenshot(page, 'referral-invited');
  const it = await panel(page);
  await it.getByText(INVITED).waitFor();
  await it.getByText('The order must come to at least £20.00.').waitFor();
  await it.getByText('The points come 14 days after the order.').waitFor();
  await it.getByRole('link', { name: 'Sign in or create an account to get them' }).waitFor();
  await assertAccessible(page);
  await screenshot(page, 'referral-panel');
  assert.equal(requests(`GET /referrals/${CODE}`).length, 1);
  assertNoErrors(page);
});

test('a program that does not say how long points wait says nothing of it', async () => {
  const { wait_days: _, ...gives } = GIVES;
  for (const referrals of [gives, { ...GIVES, wait_days: 0 }]) {
    await tell(shop, 'program_ui', { ...PROGRAM, referrals });
    const page = await visit(open, shop, `${PAGE}?ref=${CODE}`, { signedIn: false, lines: 0 });
    await block(page).getByText(INVITED).waitFor();
    assert.doesNotMatch(await page.locator('body').innerText(), /The points come/);
    assertNoErrors(page);
  }
});

test('whoever follows the link of somebody who may invite nobody more is told so, and it is not kept', async () => {
  shop.answers[`GET /referrals/${CODE}`] = { status: 422, body: { status: 422, code: 'limit_reached' } };
  const page = await visit(open, shop, `${PAGE}?ref=${CODE}`, { signedIn: false, lines: 0 });
  const it = await panel(page);
  await it.getByText('Your friend has invited as many people as the shop allows.').waitFor();
  assert.equal(await sentBy(page), undefined);
  assertNoErrors({ errors: page.errors.filter((error) => !error.includes('422')) });
});

test('the link is remembered on other pages, without asking again, and what else is on the cart stays', async () => {
  const before = (page) => page.request.post(`${shop.url}/cart/update.js`, { data: { attributes: { gift: 'yes', _loyalty: 'mark' } } });
  const page = await visit(open, shop, `/store?ref=${CODE}`, { signedIn: false, before });
  await eventually(() => sentBy(page), CODE);
  const { attributes } = await cart(page, shop);
  assert.deepEqual([attributes.gift, attributes._loyalty], ['yes', 'mark']);
  shop.asked.length = 0;
  await watchMoves(page);
  await page.goto(shop.url + PAGE);
  await block(page).getByText(INVITED).waitFor();
  await page.waitForLoadState('networkidle');
  assert.deepEqual(shop.asked, []);
  await assertNothingMoved(page);
  assertNoErrors(page);
});

test('a page without a friend’s link loads and asks for nothing more than before', async () => {
  const page = await visit(open, shop, PAGE, { signedIn: false });
  await block(page).getByText('You get 200 points when a friend places their first order.').waitFor();
  await block(page).getByText('Your friend gets 100 points for it.').waitFor();
  await block(page).getByRole('link', { name: 'Sign in to get your link' }).waitFor();
  await page.waitForLoadState('networkidle');
  assert.deepEqual(page.asked.filter((asked) => asked.startsWith('GET /cdn/app/')).sort(), ['GET /cdn/app/loader.js', 'GET /cdn/app/loyalnest.css']);
  assert.deepEqual(shop.asked, []);
  await assertAccessible(page);
  await screenshot(page, 'referral-anybody');
});

test('whoever signs in is told once that a friend has sent them, and the app is told once', async () => {
  const page = await visit(open, shop, `/store?ref=${CODE}`, { signedIn: false });
  await eventually(() => sentBy(page), CODE);
  await page.request.post(`${shop.url}/shop/session`, { data: { customer: shop.customer } });
  await watchMoves(page);
  await page.goto(shop.url + PAGE);
  const says = 'A friend has invited you: 100 points are yours with your first order.';
  await block(page).getByText(says).waitFor();
  await assertNothingMoved(page);
  await screenshot(page, 'referral-told');
  assert.deepEqual(requests('POST /referrals').map(({ body }) => JSON.parse(body)), [{ code: CODE }]);
  await page.goto(`${shop.url}/store`);
  const it = await panel(page);
  await it.getByText(says).waitFor();
  await screenshot(page, 'referral-told-panel');
  await assertAccessible(page);
  await page.goto(`${shop.url}/store`);
  await panel(page);
  await it.getByText('1,500', { exact: true }).waitFor();
  assert.equal(await it.getByText(says).count(), 0);
  assert.equal(requests('POST /referrals').length, 1);
  assertNoErrors(page);
});

test('a panel that is open before the app has answered says it then', async () => {
  let answer;
  shop.answers['POST /referrals'] = () => new Promise((told) => (answer = () => told({ body: { state: 'waiting' } })));
  const page = await visit(open, shop, `/store?ref=${CODE}`, { before: (page) => page.addInitScript(() => (window.requestIdleCallback = (then) => setTimeout(then, 1_500))) });
  const it = await panel(page);
  await eventually(() => requests('POST /referrals').length, 1);
  answer();
  await it.getByText('A friend has invited you').waitFor();
  assertNoErrors(page);
});

test('a panel that is about to open when the app answers says it', async () => {
  let answer, style;
  shop.answers['POST /referrals'] = () => new Promise((told) => (answer = () => told({ body: { state: 'waiting' } })));
  const before = (page) => page.route('**/panel.css*', async (route) => {
    await new Promise((go) => (style = go));
    await route.continue();
  });
  const page = await visit(open, shop, `/store?ref=${CODE}`, { before });
  await eventually(() => requests('POST /referrals').length, 1);
  await page.locator('.loyalnest-launcher').click();
  await eventually(() => typeof style, 'function');
  answer();
  await eventually(() => page.evaluate(() => JSON.parse(localStorage.getItem('loyalnest-ref'))?.said), 'waiting');
  style();
  await page.getByRole('dialog').getByText('A friend has invited you').waitFor();
  assertNoErrors(page);
});

for (const [status, code, says] of [
  [422, 'own_code', 'This is your own link. Send it to a friend.'],
  [422, 'not_new', 'Invitations are for a first order, and you have ordered here before.'],
  [422, 'circular', 'You invited this friend first, so their invitation does not count for you.'],
  [422, 'limit_reached', 'Your friend has invited as many people as the shop allows.'],
  [409, 'already_referred', 'Another friend has invited you before. That invitation counts.'],
]) {
  test(`a member for whom a link is nothing is told why, and the cart forgets it: ${code}`, async () => {
    shop.answers['POST /referrals'] = { status, body: { code } };
    const before = async (page) => {
      await watchMoves(page);
      await page.request.post(`${shop.url}/cart/update.js`, { data: { attributes: { _loyalty_ref: CODE } } });
    };
    const page = await visit(open, shop, `${PAGE}?ref=${CODE}`, { before });
    await block(page).getByText(says).waitFor();
    await eventually(() => sentBy(page), '');
    await assertNothingMoved(page);
    const it = await panel(page);
    await it.getByText(says).waitFor();
    await screenshot(page, `referral-${code}`);
    assertNoErrors({ errors: page.errors.filter((error) => !error.includes(status)) });
  });
}

test('a code that is nobody’s, or that the program has no use for, is forgotten without a word', async () => {
  for (const code of ['unknown_code', 'no_referrals']) {
    shop.answers[`GET /referrals/${CODE}`] = { status: 404, body: { code } };
    const page = await visit(open, shop, `${PAGE}?ref=${CODE}`, { signedIn: false });
    await eventually(() => page.evaluate(() => localStorage.length), 0);
    await eventually(() => requests(`GET /referrals/${CODE}`).length, 1);
    await block(page).getByText('You get 200 points').waitFor();
    const it = await panel(page);
    await it.getByRole('link', { name: 'Sign in to see your points' }).waitFor();
    assert.equal(await sentBy(page), undefined);
    shop.asked.length = 0;
    await page.close();
  }
});

test('a link that is no code of ours does nothing: no request, no file, no word', async () => {
  const evil = encodeURIComponent('"><img src=x onerror="window.owned=1">');
  for (const code of [evil, '', 'summer-sale', '7K3M9QX0', `${CODE}X`, '__proto__', '%00', encodeURIComponent('../../account')]) {
    const page = await visit(open, shop, `${PAGE}?ref=${code}`, { signedIn: false, lines: 0 });
    await page.waitForLoadState('networkidle');
    const it = await panel(page);
    await it.getByRole('link', { name: 'Sign in to see your points' }).waitFor();
    assert.deepEqual(shop.asked, [], code);
    assert.deepEqual(await page.evaluate(() => [localStorage.length, window.owned]), [0, undefined], code);
    assert.equal(await page.locator('img').count(), 0);
    await page.close();
  }
});

test('what is told of a program is text, wherever it stands', async () => {
  const bad = '"><img src=x onerror="window.owned=1"></script><script>window.owned=1</script>';
  await tell(shop, 'program_ui', { ...INVITING, referrals: { ...GIVES, more: bad, min: { [bad]: 5 } } });
  shop.answers['GET /referral'] = { body: referral({ link: `https://tea.myshopify.com/${bad}` }) };
  const page = await visit(open, shop, `${PAGE}?ref=${CODE}`, { before: (page) => page.request.post(`${shop.url}/cart/update.js`, { data: { attributes: { _loyalty_ref: bad } } }) });
  await block(page).getByRole('button', { name: 'Show my link' }).click();
  assert.equal(await block(page).getByRole('textbox').inputValue(), `https://tea.myshopify.com/${bad}`);
  await panel(page);
  assert.equal(await page.evaluate(() => window.owned), undefined);
  assert.equal(await page.locator('img').count(), 0);
});

test('a member’s own link comes when asked for, by keyboard, and is copied', async () => {
  const page = await visit(open, shop, PAGE, { before: watchMoves });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: shop.url });
  assert.deepEqual(shop.asked, []);
  await block(page).getByRole('button', { name: 'Show my link' }).focus();
  await page.keyboard.press('Enter');
  const field = block(page).getByRole('textbox', { name: 'Your link' });
  await field.waitFor();
  assert.equal(await field.inputValue(), referral().link);
  assert.match(await focused(page), /Your link/);
  await assertNothingMoved(page);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await block(page).getByRole('status').filter({ hasText: 'Copied. Now send it to a friend.' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), referral().link);
  await assertAccessible(page);
  await assertFitsWidth(page);
  await screenshot(page, 'referral-link');
  // A browser that lets no page copy.
  await page.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden'));
    document.execCommand = () => false;
  });
  await page.keyboard.press('Enter');
  await block(page).getByRole('status').filter({ hasText: 'Select the link and copy it by hand.' }).waitFor();
  assert.match(await focused(page), /Your link/);
  assert.equal(await page.evaluate(() => getSelection().toString()), referral().link);
  assertNoErrors(page);
});

test('whatever the app answers, a member’s button says what rests', async () => {
  for (const [answer, says] of [
    [{ status: 500, body: {} }, 'Your rewards cannot be loaded just now.'],
    [{ status: 401, body: { code: 'not_signed_in' } }, 'Sign in to get your link'],
    [{ status: 404, body: { code: 'no_referrals' } }, 'There is nothing for inviting friends at the moment.'],
    [{ body: { link: 'javascript:alert(1)' } }, 'Your rewards cannot be loaded just now.'],
    [{ body: {} }, 'Your rewards cannot be loaded just now.'],
    [{ text: '<html>' }, 'Your rewards cannot be loaded just now.'],
  ]) {
    shop.answers['GET /referral'] = answer;
    const page = await visit(open, shop, PAGE);
    const button = block(page).getByRole('button', { name: 'Show my link' });
    await button.click();
    await block(page).getByRole('alert').filter({ hasText: says }).waitFor();
    if (answer.status === 401) await screenshot(page, 'referral-signed-out');
    shop.answers['GET /referral'] = { body: referral() };
    await button.click();
    await block(page).getByRole('textbox').waitFor();
    assert.equal(await block(page).getByRole('alert').count(), 0);
    await page.close();
  }
});

test('without a storage the cart carries the code, and the page goes on', async () => {
  const before = (page) =>
    page.addInitScript(() => Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('denied', 'SecurityError'); } }));
  const page = await visit(open, shop, `${PAGE}?ref=${CODE}`, { signedIn: false, before });
  await block(page).getByText(INVITED).waitFor();
  await eventually(() => sentBy(page), CODE);
  await page.goto(shop.url + PAGE);
  await block(page).getByText('You get 200 points').waitFor();
  assert.equal(await sentBy(page), CODE);
  assertNoErrors(page);
});

test('an app that does not answer keeps nobody from ordering with a friend’s code', async () => {
  shop.answers[`GET /referrals/${CODE}`] = { status: 500, body: {} };
  const page = await visit(open, shop, `${PAGE}?ref=${CODE}`, { signedIn: false });
  await eventually(() => sentBy(page), CODE);
  await block(page).getByText('You get 200 points').waitFor();
  shop.answers[`GET /referrals/${CODE}`] = { body: { gives: GIVES } };
  await page.goto(shop.url + PAGE);
  await block(page).getByText(INVITED).waitFor();
});

test('pages with a strict policy have all of it, too', async () => {
  const before = (page) =>
    page.route(`${shop.url}${PAGE}*`, async (route) => {
      const response = await route.fetch();
      const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'";
      await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } });
    });
  const page = await visit(open, shop, `${PAGE}?ref=${CODE}`, { before });
  await block(page).getByText('A friend has invited you').waitFor();
  await block(page).getByRole('button', { name: 'Show my link' }).click();
  await block(page).getByRole('textbox').waitFor();
});

test('a program without referrals, or with broken ones, shows no block and keeps no code', async () => {
  for (const referrals of [undefined, null, { friend: 100 }, []]) {
    await tell(shop, 'program_ui', { ...PROGRAM, referrals });
    const page = await visit(open, shop, `${PAGE}?ref=${CODE}`, { signedIn: false });
    await page.waitForLoadState('networkidle');
    if (!referrals) assert.equal(await block(page).innerText(), '');
    assert.deepEqual(await page.evaluate(() => localStorage.length), 0);
    assert.deepEqual(shop.asked, []);
    assertNoErrors(page);
    await page.close();
  }
});

test('right to left, and every language, on a phone', async () => {
  for (const locale of ['de', 'es', 'fr', 'it', 'ja', 'nl', 'pl', 'pt-BR', 'sv']) {
    for (const signedIn of [false, true]) {
      const before = watchMoves;
      const page = await visit(open, shop, `${PAGE}?locale=${locale}&ref=${CODE}`, { size: SIZES.phone, signedIn, before });
      const state = signedIn ? 'waiting' : 'invited';
      await block(page).locator(`[data-when=${state}]:not([data-off])`).first().waitFor();
      await assertNothingMoved(page);
      if (signedIn) {
        await block(page).getByRole('button').click();
        await block(page).getByRole('textbox').waitFor();
      }
      assert.doesNotMatch(await page.content(), /Translation missing|\{\w+\}[^"&]*<\/(p|h\d|button)>/, locale);
      await assertFitsWidth(page);
      await screenshot(page, `referral-${locale}-${state}`);
      await page.close();
    }
  }
  const before = (page) => page.addInitScript(() => document.addEventListener('DOMContentLoaded', () => (document.documentElement.dir = 'rtl')));
  const page = await visit(open, shop, `${PAGE}?ref=${CODE}`, { before, size: SIZES.phone });
  await block(page).getByRole('button').click();
  await block(page).getByRole('textbox').waitFor();
  const [field, copy] = await Promise.all([block(page).getByRole('textbox').boundingBox(), block(page).getByRole('button').boundingBox()]);
  assert.ok(copy.x < field.x, 'the button is on the left');
  await assertFitsWidth(page);
  await screenshot(page, 'referral-right-to-left');
  assertNoErrors(page);
});
