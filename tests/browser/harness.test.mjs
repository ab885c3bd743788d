// The harness itself: that its checks can fail.

import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { assertFitsWidth, assertNoErrors, browser, focused, screenshot, SIZES } from './browser.mjs';

const PAGES = {
  '/': '<p>Fits</p><button>Pay</button>',
  '/wide': '<div style="width: 500px">Too wide for a phone</div>',
  '/broken': '<script>throw new Error("a script failed")</script>',
};

const open = browser();
let server;
let address;

before(async () => {
  server = http.createServer((request, response) => {
    const head = '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">';
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(head + PAGES[request.url]);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  address = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test('a page that fits and works passes', async () => {
  const page = await open(address, SIZES.phone);
  assertNoErrors(page);
  await assertFitsWidth(page);
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'button "Pay"');
});

test('a page wider than the screen is caught', async () => {
  const page = await open(`${address}/wide`, SIZES.phone);
  await assert.rejects(assertFitsWidth(page), /px wide on a screen of 390 px/);
});

test('a script error is caught', async () => {
  const page = await open(`${address}/broken`);
  assert.throws(() => assertNoErrors(page), /a script failed/);
});

test('two pages share nothing, two tabs of a session do', async () => {
  const first = await open(address);
  await first.evaluate(() => localStorage.setItem('who', 'Ada'));
  const second = await open(address);
  const tab = await open(address, SIZES.desktop, first.context());
  assert.equal(await second.evaluate(() => localStorage.getItem('who')), null);
  assert.equal(await tab.evaluate(() => localStorage.getItem('who')), 'Ada');
});

test('screenshots are taken in both sizes', async () => {
  const page = await open(address);
  const start = Date.now();
  await screenshot(page, 'harness');
  const folder = process.env.SCREENSHOTS ?? new URL('../../target/screenshots', import.meta.url).pathname;
  for (const device of Object.keys(SIZES)) {
    const file = await stat(`${folder}/harness-${device}.png`);
    assert.ok(file.size > 1000 && file.mtimeMs >= start - 1000);
  }
});
