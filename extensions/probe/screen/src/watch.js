// Changes the cart again and again and writes down what the Function echoes, while somebody writes the customer's
// metafield by the Admin API.

import { decode } from './echo.js';

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const ours = (entries, owner) =>
  entries.find(({ target, metafield }) => target.type === owner && metafield.key === 'probe')?.metafield.value;

/** What the Function echoes in the cart's discounts just now, with what the discount is called; nothing without one. */
export function echoed(allocations) {
  for (const { title, discountedAmount } of allocations) {
    const seen = decode(Math.round(discountedAmount.amount * 100));
    if (seen && /^probe/i.test(title ?? '')) return { ...seen, title };
  }
  return undefined;
}

/**
 * @param {{ seconds: number, interval: number, each: (samples: object[]) => void }} options `each` hears of every sample
 * @returns {Promise<{ samples: object[], refused?: string }>} `refused` says why the cart cannot be changed
 */
export async function watch(shopify, { seconds, interval, each }) {
  const samples = [];
  for (let wrote = 1; wrote * interval <= seconds; wrote++) {
    const began = Date.now() / 1_000;
    const metafield = { namespace: '$app', key: 'probe', type: 'number_integer', value: String(wrote) };
    const change = await shopify.applyMetafieldChange({ type: 'updateCartMetafield', metafield });
    if (change.type === 'error') return { samples, refused: change.message };
    await sleep(interval * 1_000);
    const customer = ours(shopify.appMetafields.value, 'customer');
    samples.push({
      began,
      wrote,
      echo: echoed(shopify.discountAllocations.value),
      customer: customer === undefined ? undefined : Number(customer),
    });
    each(samples);
  }
  return { samples };
}
