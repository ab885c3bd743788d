// A page that runs one target of an extension, under a strict content policy, with a surface whose every value the test gives.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';

import axe from 'axe-core';

import { browser, SIZES } from '../browser/browser.mjs';
import { APP_URL, bundleAll } from './bundle.mjs';

const CSP = `default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${APP_URL}`;
const PAGE = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<title>An extension</title><link rel="stylesheet" href="/stage.css"><main></main><script src="/host.js"></script><script src="/stage.js"></script>`;
const CSS = `body { margin: 0; padding: 1.25rem; font: 16px/1.5 system-ui, sans-serif; color: #1f1f1f; background: #fff; }
main { max-inline-size: 34rem; margin-inline: auto; }`;

/** In the page: runs a target; what it asks of the surface is written down in \`window.asked\`. */
const SCRIPT = `
window.asked = [];
window.stage = async ({ allocations, marking, ...options }) => {
  const main = document.querySelector('main');
  main.dir = ['ar', 'he'].includes(options.language) ? 'rtl' : 'ltr';
  const extension = await extensionHost.run(main, {
    folder: '', ...options,
    methods: {
      'sessionToken.get': () => (options.token === null ? Promise.reject(new Error('no token')) : 'token'),
      query: () => ({ data: options.answer }),
      applyMetafieldChange: async (change) => {
        asked.push(change);
        if (marking === 'refused') return { type: 'error', message: 'accelerated checkout' };
        if (marking === 'never') return new Promise(() => {});
        const marked = change.type === 'updateCartMetafield';
        await extension.set('discountAllocations', marked ? (allocations ?? []) : []);
        return { type: 'success' };
      },
    },
  });
  window.extension = extension;
};`;

const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' };

/** Opens pages that run the extensions of an app, for the tests of a file. */
export function stage(app = 'extensions') {
  const open = browser();
  let folder;
  let server;
  let address;

  before(async () => {
    // Not where others make theirs at the same time.
    folder = await mkdtemp(path.join(tmpdir(), 'extensions-'));
    await bundleAll(folder, app);
    server = http.createServer(async (request, response) => {
      const name = request.url === '/' ? '/index.html' : request.url;
      const own = { '/index.html': PAGE, '/stage.js': SCRIPT, '/stage.css': CSS }[name];
      const body = own ?? (await readFile(path.join(folder, path.basename(name))).catch(() => undefined));
      response.setHeader('content-security-policy', CSP);
      response.setHeader('content-type', TYPES[path.extname(name)] ?? 'text/html; charset=utf-8');
      response.writeHead(body === undefined ? 404 : 200).end(body);
    });
    await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
    address = `http://127.0.0.1:${server.address().port}`;
  });
  after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  /** @param {Record<string, any>} app answers of the app, by `GET /account`: a body, or `[status, body]` */
  return async function show(options, { app = {}, size = SIZES.desktop } = {}) {
    const page = await open(address, size);
    page.requests = [];
    await page.context().route(`${APP_URL}/**`, async (route) => {
      const request = route.request();
      const cors = {
        'access-control-allow-origin': '*',
        'access-control-allow-headers': '*',
        'access-control-allow-methods': '*',
      };
      if (request.method() === 'OPTIONS') return route.fulfill({ status: 204, headers: cors });
      const name = `${request.method()} ${new URL(request.url()).pathname.replace('/ext', '')}`;
      page.requests.push(name);
      const answer = app[name];
      if (answer === 'never') return undefined;
      if (answer === undefined || answer === 'down') return route.abort();
      const [status, body] = Array.isArray(answer) && typeof answer[0] === 'number' ? answer : [200, answer];
      return route.fulfill({
        status,
        headers: cors,
        contentType: 'application/json',
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    });
    await page.evaluate((given) => window.stage(given), options);
    return page;
  };
}

/** axe finds nothing to complain of in what the extension shows. */
export async function assertAccessible(page) {
  const found = await page.evaluate(`${axe.source}; axe.run('main')`);
  assert.deepEqual(
    found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    [],
  );
}

const pounds = (amount) => ({ amount, currencyCode: 'GBP' });

export const metafield = (owner, key, value) => ({
  target: { type: owner, id: `gid://shopify/${owner}/1` },
  metafield: {
    namespace: '$app',
    key,
    type: 'json',
    valueType: 'json_string',
    value: typeof value === 'string' ? value : JSON.stringify(value),
  },
});

export const discount = (amount, title = 'Loyalty points') => ({
  type: 'automatic',
  title,
  discountedAmount: pounds(amount),
});

export const ACCOUNT = { v: 1, seq: 12, points: 1392, pending: 43 };

export const PROGRAM = {
  v: 1,
  version: 1,
  currency: 'GBP',
  earn: { points: 1, per: 100 },
  rewards: [
    { id: 'five', name: '5 off your order', points: 450, benefit: { kind: 'amount', value: { GBP: 500, EUR: 600 } } },
    { id: 'money', name: 'Points as money', points: 100, benefit: { kind: 'steps', value: { GBP: 100 }, most: 20 } },
    { id: 'delivery', name: 'Free delivery', points: 300, benefit: { kind: 'shipping' } },
    { id: 'grinder', name: 'A grinder', points: 1500, benefit: { kind: 'amount', value: { GBP: 4000 } } },
  ],
};

const line = {
  id: 'gid://shopify/CartLine/1',
  quantity: 2,
  cost: { totalAmount: pounds(30.4) },
  attributes: [],
  discountAllocations: [],
  lineComponents: [],
  parentRelationship: null,
  merchandise: {
    type: 'variant',
    id: 'gid://shopify/ProductVariant/1',
    title: 'Mug',
    selectedOptions: [],
    requiresShipping: true,
    product: { id: 'gid://shopify/Product/1', vendor: 'Fernhill', productType: 'Mug' },
  },
};

const delivery = {
  targetedCartLines: [],
  groupType: 'oneTimePurchase',
  isDeliveryRequired: true,
  selectedDeliveryOption: { handle: 'std' },
  deliveryOptions: [
    {
      type: 'shipping',
      handle: 'std',
      code: 'std',
      metafields: [],
      carrier: {},
      deliveryEstimate: {},
      cost: pounds(4.95),
      costAfterDiscounts: pounds(4.95),
    },
  ],
};

/** The checkout of a member with a mug in the cart. */
export function checkout({ account = ACCOUNT, program = PROGRAM, signals = {}, ...rest } = {}) {
  const entries = [
    account && metafield('customer', 'account', account),
    program && metafield('shop', 'program_ui', program),
  ];
  return {
    handle: 'checkout-rewards',
    target: 'purchase.checkout.block.render',
    signals: {
      lines: [line],
      appMetafields: entries.filter(Boolean),
      discountAllocations: [],
      deliveryGroups: [delivery],
      selectedPaymentOptions: [],
      instructions: { metafields: { canSetCartMetafields: true, canDeleteCartMetafield: true } },
      'localization.currency': { isoCode: 'GBP' },
      'localization.extensionLanguage': { isoCode: 'en' },
      ...signals,
    },
    ...rest,
  };
}
