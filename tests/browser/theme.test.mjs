// The theme app extension in the local shop's theme, in a real browser, beside an app that answers as badly as can be.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { beforeEach, test } from 'node:test';
import { assertFitsWidth, assertNoErrors, assertNothingMoved, browser, focused, screenshot, SIZES, watchMoves } from './browser.mjs';
import { BY_POINTS, HIGHEST, NO_TIERS, progress, SHORT } from '../../rewards-ui/tests/progress.js';
import { eventually } from './storefront.mjs';
import { account, cart, hold, HOLD, panel, PROGRAM, redemption, tell, theme, visit } from './theme.mjs';

const shop = theme();
const open = browser();
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What the app says of somebody with so many points. */
const told = (points, standing = null) => ({
  body: { points, pending: 0, held: standing?.points ?? 0, seq: 8, next: null, redemption: standing },
});

beforeEach(async () => {
  shop.answers = { 'GET /account': told(1_500), 'GET /tier': { body: NO_TIERS } };
  shop.asked.length = 0;
  await tell(shop, 'account', account(1_500, { pending: 20 }));
  await tell(shop, 'program_ui', PROGRAM);
});

/** Nothing on the page, or in the panel, that axe finds fault with. */
async function assertAccessible(page) {
  const found = await page.evaluate(`${axe}; axe.run(document, { rules: { 'color-contrast': { enabled: true } } })`);
  assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), []);
}

test('the balance is there without a request, without a move, and from nobody else', async () => {
  const page = await visit(open, shop, '/store', { before: watchMoves });
  await page.locator('.loyalnest-launcher', { hasText: '1,500 points' }).waitFor();
  await page.getByText('20 points on the way').waitFor();
  await page.getByText('500 points to your next reward: 10 % off').waitFor();
  assert.deepEqual(page.asked.filter((asked) => !asked.startsWith('GET /cdn/')), ['GET /store']);
  assert.deepEqual(page.asked.filter((asked) => asked.startsWith('GET /cdn/app/')).sort(), ['GET /cdn/app/loader.js', 'GET /cdn/app/loyalnest.css']);
  assert.deepEqual(shop.asked, []);
  await assertNothingMoved(page);
  await screenshot(page, 'theme-home');
  assertNoErrors(page);
});

test('the button stays where it is, wherever a page is torn on its way', async () => {
  const whole = await (await fetch(`${shop.url}/store`)).text();
  const [begins, words, ends] = ['class="loyalnest-launcher"', 'Your points', '</button>'].reduce((found, part) => {
    const at = whole.indexOf(part, found.at(-1));
    assert.ok(at > 0, part);
    return [...found, at];
  }, []);
  let torn;
  let rest;
  const front = http.createServer(async (request, response) => {
    if (request.url === '/store') {
      response.writeHead(200, { 'content-type': 'text/html' }).write(whole.slice(0, torn));
      rest = () => response.end(whole.slice(torn));
      return;
    }
    const answer = await fetch(shop.url + request.url);
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await once(front.listen(0, '127.0.0.1'), 'listening');
  for (torn of [begins, words, words + 4, words + 'Your points'.length, whole.indexOf('<path', words), ends]) {
    const page = await open('about:blank', SIZES.phone);
    await watchMoves(page);
    await page.goto(`http://127.0.0.1:${front.address().port}/store`, { waitUntil: 'commit' });
    await page.locator('main').waitFor();
    // What has come is on the screen, before the rest comes.
    await page.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));
    rest();
    await page.locator('.loyalnest-launcher', { hasText: 'Your points' }).waitFor();
    await page.waitForLoadState('load');
    await assertNothingMoved(page);
    assertNoErrors(page);
    await page.close();
  }
  front.close();
});

test('a product says what it earns, for the variant that is chosen', async () => {
  const page = await visit(open, shop, '/products/house-espresso');
  await page.getByText('Earn 8 points with this').waitFor();
  await page.getByRole('combobox').selectOption({ index: 1 });
  await page.getByText('Earn 29 points with this').waitFor();
  await screenshot(page, 'theme-product');
  await assertAccessible(page);
  const card = await visit(open, shop, '/products/gift-card');
  assert.equal(await card.locator('loyalnest-earn').count(), 0);
  assertNoErrors(page);
});

test('a reward is picked, marks the cart, and is taken back', async () => {
  const page = await visit(open, shop, '/cart');
  const it = await panel(page);
  await it.getByText('£5.00 off').waitFor();
  await screenshot(page, 'theme-panel');
  await assertAccessible(page);
  shop.answers['POST /redemptions'] = () => {
    shop.answers['GET /account'] = told(1_050, redemption());
    return { body: redemption() };
  };
  await it.getByRole('button', { name: 'Use 450 points' }).click();
  await it.getByText('450 points are set aside for this cart. The discount shows').waitFor();
  assert.deepEqual(JSON.parse(shop.asked.find(({ key }) => key === 'POST /redemptions').body), { reward: 'five-off', points: 450, currency: 'GBP', scope: 'cart' });
  assert.equal((await cart(page, shop)).attributes._loyalty, `${HOLD}.1`);
  await screenshot(page, 'theme-held');
  await assertAccessible(page);
  shop.answers[`DELETE /redemptions/${HOLD}`] = () => {
    shop.answers['GET /account'] = told(1_050, redemption({ state: 'closing', mark: undefined }));
    return { body: redemption({ state: 'closing', mark: undefined }) };
  };
  await it.getByRole('button', { name: 'Take it back' }).click();
  await it.getByText('450 points are on their way back to you.').waitFor();
  await it.getByText('Taken back. Your points return in a while.').waitFor();
  assert.equal((await cart(page, shop)).attributes._loyalty, '');
  // Not 1,050 only: what is on its way back can be used after all.
  await it.getByRole('button', { name: 'Use 1,500 points' }).waitFor();
  assertNoErrors(page);
});

test('points in steps: as many as the slider says', async () => {
  const page = await visit(open, shop, '/cart', { lines: 3 });
  const it = await panel(page);
  shop.answers['POST /redemptions'] = { body: redemption({ reward: 'points', points: 300 }) };
  const slider = it.getByRole('slider', { name: 'Points to spend on Points as money' });
  await slider.fill('3');
  await it.getByText('£3.00 off').waitFor();
  assert.equal(await slider.getAttribute('aria-valuetext'), '300 points');
  await it.getByRole('button', { name: 'Use 300 points' }).click();
  await eventually(() => shop.asked.filter(({ key }) => key === 'POST /redemptions').length, 1);
  const asked = shop.asked.find(({ key }) => key === 'POST /redemptions');
  assert.deepEqual(JSON.parse(asked.body), { reward: 'points', points: 300, currency: 'GBP', scope: 'cart' });
});

test('a gift card is asked for once, however often the answer is lost', async () => {
  const page = await visit(open, shop, '/cart');
  const it = await panel(page);
  const row = it.getByRole('listitem').filter({ hasText: '£10.00 gift card' });
  for (const answer of [{ status: 500, body: {} }, { status: 202, body: { id: 'p', state: 'asked', value: 1_000, currency: 'GBP' } }]) {
    shop.answers['POST /payouts'] = answer;
    await row.getByRole('button', { name: 'Use 1,000 points' }).click();
    await row.getByRole('button', { name: 'Send it' }).click();
    await it.getByRole('status').filter({ hasText: answer.status === 500 ? 'does not answer' : '£10.00 is on its way to you.' }).waitFor();
  }
  const asked = shop.asked.filter(({ key }) => key === 'POST /payouts').map(({ body }) => JSON.parse(body));
  assert.equal(asked.length, 2);
  assert.deepEqual(asked[0], asked[1]);
  assert.deepEqual([asked[0].reward, asked[0].currency], ['card', 'GBP']);
});

test('what is paid out takes a second press, which is not where the first one was', async () => {
  const credit = { id: 'credit', name: 'Store credit', points: 500, benefit: { kind: 'store_credit', value: { GBP: 500 } } };
  await tell(shop, 'program_ui', { ...PROGRAM, rewards: [...PROGRAM.rewards, credit] });
  shop.answers['POST /payouts'] = { status: 202, body: { id: 'p', state: 'asked', value: 500, currency: 'GBP' } };
  const page = await visit(open, shop, '/cart');
  const it = await panel(page);
  const asked = () => shop.asked.filter(({ key }) => key === 'POST /payouts').length;
  const row = (text) => it.getByRole('listitem').filter({ hasText: text });
  for (const [name, points, sure] of [
    ['Gift card', '1,000', 'It comes by e-mail and cannot be taken back.'],
    ['Store credit', '500', 'It goes to your account at this shop and cannot be turned back into points.'],
  ]) {
    const use = row(name).getByRole('button', { name: `Use ${points} points` });
    await use.focus();
    await page.keyboard.press('Enter');
    await it.getByText(sure).waitFor();
    await screenshot(page, `theme-sure-${name.toLowerCase().replace(' ', '-')}`);
    await assertAccessible(page);
    // A second press in the same place takes the question away.
    await page.keyboard.press('Enter');
    await use.waitFor();
    assert.equal(await it.getByText(sure).count(), 0);
  }
  assert.equal(asked(), 0);
  await row('Store credit').getByRole('button', { name: 'Use 500 points' }).click();
  await row('Gift card').getByRole('button', { name: 'Use 1,000 points' }).click();
  assert.equal(await row('Store credit').getByRole('button', { name: 'Pay it out' }).count(), 0, 'one question at a time');
  await row('Gift card').getByRole('button', { name: 'Not now' }).click();
  await row('Store credit').getByRole('button', { name: 'Use 500 points' }).click();
  await row('Store credit').getByRole('button', { name: 'Pay it out' }).click();
  await it.getByRole('status').filter({ hasText: '£5.00 is on its way to you.' }).waitFor();
  assert.equal(asked(), 1);
  assert.equal(JSON.parse(shop.asked.find(({ key }) => key === 'POST /payouts').body).reward, 'credit');
  // What was asked is forgotten with the panel.
  await row('Gift card').getByRole('button', { name: 'Use 1,000 points' }).click();
  await page.keyboard.press('Escape');
  await panel(page);
  assert.equal(await row('Gift card').getByRole('button', { name: 'Send it' }).count(), 0);
  assertNoErrors(page);
});

test('the panel says how far it is to the next tier, as far as the app tells', async () => {
  const page = await visit(open, shop, '/cart');
  shop.answers['GET /tier'] = { body: progress() };
  const it = await panel(page);
  await it.getByText('£180.00 to go to Gold').waitFor();
  await screenshot(page, 'theme-tier');
  await assertAccessible(page);
  for (const [answer, says] of [
    [SHORT, '£40.00 more, and you have enough for Silver again.'],
    [BY_POINTS, '300 points to go to Gold'],
    [HIGHEST, undefined],
  ]) {
    shop.answers['GET /tier'] = { body: answer };
    const again = await visit(open, shop, '/cart');
    const dialog = await panel(again);
    await dialog.getByRole('button', { name: 'Use 450 points' }).waitFor();
    if (says) await dialog.getByText(says).waitFor();
    else assert.doesNotMatch(await dialog.innerText(), /to go to|enough for/);
    assertNoErrors(again);
  }
});

test('a pick that takes a while is waited for', async () => {
  const page = await visit(open, shop, '/cart');
  const it = await panel(page);
  const opening = redemption({ state: 'opening', mark: undefined });
  shop.answers['POST /redemptions'] = () => {
    shop.answers['GET /account'] = told(1_050, opening);
    return { status: 202, body: opening };
  };
  await it.getByRole('button', { name: 'Use 450 points' }).click();
  await it.getByText('450 points are being set aside. This takes a moment.').waitFor();
  assert.equal((await cart(page, shop)).attributes._loyalty, undefined);
  shop.answers['GET /account'] = told(1_050, redemption());
  await it.getByText('450 points are set aside for this cart. The discount shows').waitFor();
  assert.equal((await cart(page, shop)).attributes._loyalty, `${HOLD}.1`);
  assertNoErrors(page);
});

test('whatever the app answers, the panel says what rests and the cart stays as it was', async () => {
  const down = 'The rewards service does not answer just now.';
  for (const [answer, words] of [
    [{ status: 500, body: { code: 'internal' } }, down],
    [{ status: 503, text: '<html>Busy</html>' }, down],
    [{ status: 200, text: '<html>Welcome' }, down],
    [{ status: 200, body: [] }, down],
    [{ status: 200, body: { id: 7 } }, down],
    [{ status: 200, text: 'null' }, down],
    [{ status: 404, text: 'There is no such page.' }, down],
    [{ status: 409, body: { code: 'under_review' } }, 'New rewards wait until the shop has reviewed it.'],
    [{ status: 409, body: { code: 'redemption_ended' } }, 'Another window picked something else meanwhile.'],
    [{ status: 422, body: { code: 'insufficient_points', available: 3 } }, 'You do not have enough points for this any more.'],
    [{ status: 422, body: { code: '<img src=x onerror=alert(1)>' } }, 'This reward cannot be had just now.'],
    [{ status: 429, body: { code: 'too_many_requests' } }, 'That was a bit quick.'],
  ]) {
    const page = await visit(open, shop, '/cart');
    const it = await panel(page);
    shop.answers['POST /redemptions'] = answer;
    await it.getByRole('button', { name: 'Use 450 points' }).click();
    await it.getByRole('status').filter({ hasText: words }).waitFor();
    assert.equal((await cart(page, shop)).attributes._loyalty, undefined, words);
    assert.ok(await it.getByRole('button', { name: 'Use 450 points' }).isEnabled());
    await page.close();
  }
});

test('an app that does not answer is not waited for', async () => {
  const page = await visit(open, shop, '/cart', { before: (page) => page.clock.install() });
  shop.answers['GET /account'] = () => new Promise(() => {});
  const it = await panel(page);
  await page.clock.fastForward(9_000);
  await it.getByText('The rewards service does not answer just now.').waitFor();
  await it.getByText('1,500', { exact: true }).waitFor();
  await it.getByRole('button', { name: 'Use 450 points' }).waitFor();
  await screenshot(page, 'theme-down');
});

test('who signs out meanwhile is told, and sees nobody’s points', async () => {
  const page = await visit(open, shop, '/cart');
  shop.answers['GET /account'] = { status: 401, body: { code: 'not_signed_in' } };
  const it = await panel(page);
  await it.getByText('You are signed out. Sign in again to spend points.').waitFor();
  await it.getByRole('link', { name: 'Sign in to see your points' }).waitFor();
  assert.equal(await it.getByRole('button', { name: /^Use / }).count(), 0);
  assert.equal(await it.getByText('1,500', { exact: true }).count(), 0);
});

test('a guest sees what points buy, and where to sign in', async () => {
  const page = await visit(open, shop, '/pages/rewards', { signedIn: false });
  await page.getByRole('listitem').filter({ hasText: '5 off your order' }).getByText('450 points').waitFor();
  await screenshot(page, 'theme-guest');
  const it = await panel(page);
  await it.getByRole('link', { name: 'Sign in to see your points' }).waitFor();
  await it.getByText('5 off your order').waitFor();
  assert.equal(await it.getByRole('button', { name: /^Use / }).count(), 0);
  assert.deepEqual(shop.asked, []);
  await screenshot(page, 'theme-guest-panel');
  await assertAccessible(page);
  assertNoErrors(page);
});

test('an account that is missing, newer, broken, huge or negative is no reason to fail', async () => {
  const none = 'Your points will show here after your first order.';
  for (const [value, words] of [
    [account(-40), '−40'],
    [{ ...account(1_500), v: 2 }, none],
    [{ v: 1, seq: 1 }, '0'],
    [[], none],
    [7, none],
    ['"text"', none],
    ['null', none],
    [{ ...account(1_500), rest: 'x'.repeat(10_000) }, '1,500'],
    [{ ...account(1_500), hold: 7, next: [] }, '1,500'],
  ]) {
    await tell(shop, 'account', value);
    const page = await visit(open, shop, '/store');
    await page.locator('#shopify-block-balance').getByText(words, { exact: true }).waitFor();
    shop.answers['GET /account'] = { status: 500, body: {} };
    await panel(page);
    await page.keyboard.press('Escape');
    assertNoErrors({ errors: page.errors.filter((error) => !error.includes('500')) });
    await page.close();
  }
});

test('what merchants and shoppers write is text, wherever it stands', async () => {
  const bad = '"><img src=x onerror="window.owned=1"></script><script>window.owned=1</script>{{ shop.name }}';
  const rewards = PROGRAM.rewards.map((reward) => ({ ...reward, name: `${reward.id} ${bad}` }));
  await tell(shop, 'program_ui', { ...PROGRAM, rewards });
  await tell(shop, 'account', account(1_500, { tier: bad, next: { points: 5, at: '2027-01-31' }, more: bad }));
  for (const where of ['/store', '/cart', '/pages/rewards']) {
    const page = await visit(open, shop, where, {
      before: (page) => page.request.post(`${shop.url}/cart/update.js`, { data: { attributes: { _loyalty: bad } } }),
    });
    const it = await panel(page);
    await it.getByText(`five-off ${bad}`, { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => window.owned), undefined, where);
    assert.equal(await page.locator('img[src=x]').count(), 0, where);
    await assertFitsWidth(page);
    await page.close();
  }
});

test('a mark that names nothing which stands leaves the cart, if the app says so', async () => {
  const marked = { before: (page) => page.request.post(`${shop.url}/cart/update.js`, { data: { attributes: { _loyalty: `${HOLD}.1` } } }) };
  const page = await visit(open, shop, '/store', marked);
  await eventually(async () => (await cart(page, shop)).attributes._loyalty, '');
  // The metafield may be behind the app, and the app may be away.
  for (const answer of [told(1_050, redemption()), { status: 500, body: {} }]) {
    shop.answers['GET /account'] = answer;
    shop.asked.length = 0;
    const other = await visit(open, shop, '/store', marked);
    await eventually(() => shop.asked.length, 1);
    await other.waitForLoadState('networkidle');
    assert.equal((await cart(other, shop)).attributes._loyalty, `${HOLD}.1`);
  }
});

test('a guest’s mark stays: they may sign in before they check out', async () => {
  const before = (page) => page.request.post(`${shop.url}/cart/update.js`, { data: { attributes: { _loyalty: `${HOLD}.1` } } });
  const page = await visit(open, shop, '/store', { signedIn: false, before });
  await page.waitForLoadState('networkidle');
  assert.equal((await cart(page, shop)).attributes._loyalty, `${HOLD}.1`);
});

test('a cart that is emptied, or goes to another market, says what became of the reward', async () => {
  await tell(shop, 'account', account(1_050, { hold: hold() }));
  shop.answers['GET /account'] = told(1_050, redemption());
  const before = (page) => page.request.post(`${shop.url}/cart/update.js`, { data: { attributes: { _loyalty: `${HOLD}.1` } } });
  const page = await visit(open, shop, '/cart', { before });
  await page.locator('.loyalnest-cart').getByText('450 points are set aside for this cart.').waitFor();
  await screenshot(page, 'theme-cart');
  await assertAccessible(page);
  const it = await panel(page);
  await it.getByText('The discount shows in your cart').waitFor();
  await page.request.post(`${shop.url}/cart/clear.js`);
  const again = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await again();
  await it.getByText('but nothing in it can be discounted as it is now').waitFor();
  await page.request.put(`${shop.url}/shop/cart/currency`, { data: JSON.stringify('JPY'), headers: { 'content-type': 'application/json' } });
  await again();
  await it.getByText('450 points are set aside for a cart in GBP.').waitFor();
  await it.getByText('Not offered in JPY').first().waitFor();
  assertNoErrors(page);
});

test('two tabs: what one picks, the other offers to take over', async () => {
  const first = await visit(open, shop, '/cart');
  const second = await visit(open, shop, '/cart', { session: first.context() });
  const it = await panel(second);
  await tell(shop, 'account', account(1_050, { hold: hold() }));
  shop.answers['GET /account'] = told(1_050, redemption());
  await second.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await it.getByText('450 points are set aside in another cart of yours.').waitFor();
  await screenshot(second, 'theme-elsewhere');
  await it.getByRole('button', { name: 'Use it here instead' }).click();
  await it.getByText('450 points are set aside for this cart. The discount shows').waitFor();
  assert.equal((await cart(second, shop)).attributes._loyalty, `${HOLD}.1`);
  assertNoErrors(second);
});

test('a keyboard and nothing else gets there and back', async () => {
  const page = await visit(open, shop, '/pages/rewards');
  const tabTo = async (wanted) => {
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab');
      if (wanted.test(await focused(page))) return;
    }
    assert.fail(`${wanted} cannot be reached with the Tab key`);
  };
  await tabTo(/Use 450 points/);
  await page.keyboard.press('Enter');
  const it = page.getByRole('dialog');
  await it.getByRole('button', { name: 'Use 450 points' }).waitFor();
  const inside = () => page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.textContent);
  await eventually(inside, 'Use 450 points');
  for (let presses = 0; presses < 12; presses++) await page.keyboard.press('Tab');
  await page.keyboard.press('Escape');
  await it.waitFor({ state: 'hidden' });
  assert.match(await focused(page), /Use 450 points/);
  await assertAccessible(page);
  assertNoErrors(page);
});

test('browsers without WebAssembly, TextDecoder and BigInt, and pages with a strict policy, have the panel too', async () => {
  const without = (page) => page.addInitScript(() => ['WebAssembly', 'TextDecoder', 'TextEncoder', 'BigInt'].forEach((name) => delete window[name]));
  const strict = (page) =>
    page.route(`${shop.url}/cart`, async (route) => {
      const response = await route.fetch();
      const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'";
      await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } });
    });
  for (const before of [without, strict]) {
    const page = await visit(open, shop, '/cart', { before });
    const it = await panel(page);
    await it.getByRole('button', { name: 'Use 450 points' }).waitFor();
    await it.getByText('£5.00 off').waitFor();
    await page.close();
  }
});

test('where the panel cannot be loaded, the button says so and the page goes on', async () => {
  const page = await visit(open, shop, '/cart', { before: (page) => page.route('**/cdn/app/panel.js', (route) => route.abort()) });
  await page.locator('.loyalnest-launcher').click();
  await page.getByRole('alert').filter({ hasText: 'Your rewards cannot be loaded just now.' }).waitFor();
  await screenshot(page, 'theme-failed');
});

test('without the rules, or without the cart, the panel says so and offers nothing', async () => {
  const missing = { rules: /\/cdn\/app\/loyalty/, cart: /\/cart\.js$/ };
  const words = { rules: 'Your rewards cannot be loaded just now.', cart: 'The rewards service does not answer just now.' };
  for (const [name, url] of Object.entries(missing)) {
    const page = await visit(open, shop, '/cart', { before: (page) => page.route(url, (route) => route.abort()) });
    const it = await panel(page);
    await it.getByRole('status').filter({ hasText: words[name] }).waitFor();
    assert.equal(await it.getByText('One moment…').count(), 0);
    assert.equal(await it.getByRole('button', { name: /^Use / }).count(), 0);
    await page.close();
  }
});

test('right to left, and every language', async () => {
  for (const locale of ['de', 'es', 'fr', 'it', 'ja', 'nl', 'pl', 'pt-BR', 'sv']) {
    const page = await visit(open, shop, `/pages/rewards?locale=${locale}`, { size: SIZES.phone });
    const it = await panel(page);
    await it.getByRole('slider').waitFor();
    assert.doesNotMatch(await page.content(), /Translation missing|\{\w+\}[^"&]*<\/(p|h\d|button)>/, locale);
    await assertFitsWidth(page);
    if (locale === 'de') await screenshot(page, 'theme-german');
    await page.close();
  }
  const page = await visit(open, shop, '/cart', { before: (page) => page.addInitScript(() => document.addEventListener('DOMContentLoaded', () => (document.documentElement.dir = 'rtl'))) });
  const it = await panel(page);
  await it.getByRole('slider').waitFor();
  const { x } = await it.boundingBox();
  assert.equal(x, 0, 'the panel comes from the other side');
  await assertFitsWidth(page);
  await screenshot(page, 'theme-right-to-left');
  assertNoErrors(page);
});
