// How long a shopper waits from the press on a reward to the discount that checkout confirms, in the demo's checkout:
//
//     node tests/browser/pick.mjs http://127.0.0.1:9393 24
//
// Prints one JSON object. What the local shop takes stands for Shopify's own time: it is measured as the page's requests to
// it (the cart is marked, the Function runs, checkout is shown anew). What the backend asks of the shop meanwhile counts as
// ours.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

import { FLAGS } from './browser.mjs';
import { add, settled, visit } from './storefront.mjs';

const [url, presses] = process.argv.slice(2);

/** Each replaces the other, so that every press is a pick. */
const REWARDS = [
  ['5 off your order', 'Applied: £5.00 off'],
  ['Free delivery', 'Applied: £4.95 off'],
];

const chrome = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: FLAGS,
});
try {
  const open = async (address) => {
    const page = await chrome.newPage();
    await page.goto(address);
    return page;
  };
  const page = await visit(open, { url }, { as: 'Ada' });
  await settled(page, 1392);
  await add(page, 'House Espresso, 250 g');
  await add(page, 'Stoneware Mug, Moss');
  await page.goto(`${url}/demo/checkout`);
  const rounds = [];
  for (let press = 0; press < Number(presses); press += 1) {
    const [name, says] = REWARDS[press % REWARDS.length];
    const use = page.getByRole('button', { name: new RegExp(`^Use .*: ${name}$`), disabled: false });
    rounds.push(await use.evaluate(pick, says));
    await page.locator('s-spinner').waitFor({ state: 'detached' });
  }
  console.log(JSON.stringify(report(rounds)));
} finally {
  await chrome.close();
}

function report(rounds) {
  assert.ok(rounds.length > 0, 'nothing was measured');
  const median = (of) => {
    const sorted = rounds.map(of).sort((a, b) => a - b);
    return Math.round(sorted[Math.floor(sorted.length / 2)] * 10) / 10;
  };
  return {
    presses: rounds.length,
    median_ms: median(({ whole }) => whole),
    shop_median_ms: median(({ shop }) => shop),
    beside_shop_median_ms: median(({ whole, shop }) => whole - shop),
    slowest_ms: Math.round(Math.max(...rounds.map(({ whole }) => whole))),
  };
}

/** In the page: presses, and measures until the confirmation stands there. */
function pick(button, says) {
  const shown = document.getElementById('extension');
  return new Promise((resolve) => {
    const began = performance.now();
    const observer = new MutationObserver(() => {
      if (!shown.textContent.includes(says)) return;
      observer.disconnect();
      const ended = performance.now();
      resolve({ whole: ended - began, shop: busyWithTheShop(began, ended) });
    });
    observer.observe(shown, { subtree: true, childList: true, characterData: true });
    button.click();
  });

  /** How long at least one of the page's requests was under way; the extension's own come from its worker. */
  function busyWithTheShop(began, ended) {
    const requests = performance.getEntriesByType('resource').filter(({ startTime }) => startTime >= began);
    let [time, until] = [0, began];
    for (const { startTime, responseEnd } of requests.sort((a, b) => a.startTime - b.startTime)) {
      const end = Math.min(responseEnd, ended);
      time += Math.max(0, end - Math.max(startTime, until));
      until = Math.max(until, end);
    }
    performance.clearResourceTimings();
    return time;
  }
}
