// The probe in workers of a real browser: its reports, under the strict content policy that extensions may meet.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertNoErrors, screenshot } from '../browser/browser.mjs';
import { assertAccessible, stage } from './stage.mjs';

const show = stage('extensions/probe');

const SCREEN = { handle: 'probe-screen', target: 'purchase.checkout.block.render' };
const signals = { appMetafields: [], discountAllocations: [], selectedPaymentOptions: [] };

const report = async (page) => JSON.parse(await page.getByRole('textbox', { name: 'Report' }).inputValue());

test('an extension: the probe tells what a worker has', async () => {
  const page = await show({ ...SCREEN, signals });
  const { sandbox, open } = await report(page);
  // The pages' policy allows no WebAssembly, as a sandbox's may not: it is there by name only.
  assert.match(sandbox.WebAssembly, /^fails: /);
  assert.deepEqual([sandbox.TextDecoder, sandbox.atob, sandbox.BigInt], ['works', 'works', 'works']);
  assert.ok(open.includes('metafield_freshness'));
  await assertAccessible(page);
  await screenshot(page, 'probe-checkout');
  assertNoErrors(page);
});

test('an extension: the probe tells what a worker lacks', async () => {
  const without = ['WebAssembly', 'TextDecoder', 'atob', 'BigInt', 'AbortController', 'structuredClone'];
  const page = await show({ handle: 'probe-page', target: 'customer-account.page.render', without });
  const { sandbox } = await report(page);
  for (const name of without) assert.equal(sandbox[name], 'absent', name);
  assertNoErrors(page);
});

test('an extension: the probe’s report can be copied', async () => {
  const page = await show({ handle: 'probe-page', target: 'customer-account.page.render' });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const said = await report(page);
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).startsWith('{'));
  assert.deepEqual(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())), said);
});

test('an extension: the probe tells what an order’s discount is called', async () => {
  for (const [title, switches] of [['probe a1 t0 p0 c0 m0', { order_title: 'candidate_message' }], ['Probe', { order_title: 'node_title' }]]) {
    const allocation = { type: 'automatic', title, discountedAmount: { amount: 0.02, currencyCode: 'GBP' } };
    const page = await show({ ...SCREEN, target: 'purchase.thank-you.block.render', signals: { ...signals, discountAllocations: [allocation] } });
    assert.deepEqual((await report(page)).switches, switches);
    assertNoErrors(page);
  }
});

test('an extension: the probe hears the Function’s echo in a checkout', async () => {
  const allocations = [{ type: 'automatic', title: 'probe a1 t0 p0 c2 m0', discountedAmount: { amount: 0.18, currencyCode: 'GBP' } }];
  const page = await show({ ...SCREEN, signals, allocations });
  await page.getByRole('button', { name: 'Watch for 60 seconds' }).click();
  await page.getByText('5 of 60 seconds').waitFor({ timeout: 20_000 });
  const [first] = await page.evaluate(() => asked);
  assert.deepEqual(first, {
    type: 'updateCartMetafield',
    metafield: { namespace: '$app', key: 'probe', type: 'number_integer', value: '1' },
  });
  assertNoErrors(page);
});
