// What a product earns, as the rules say it.

import { minorUnits, rules } from './rules.js';
import { speaker } from './words.js';

/** Fills in the line of the chosen variant, now and whenever another one is chosen. */
export async function show(line, shopper) {
  const { offers } = await rules();
  const { say, points } = speaker(shopper.dataset);
  const { account, program, currency } = shopper.dataset;
  const exact = minorUnits(currency);
  const prices = new Map(line.dataset.prices.trim().split(/\s+/).map((pair) => pair.split(':')));

  const draw = (variant) => {
    const unit = exact(Number(prices.get(variant)));
    const one = {
      variant: `gid://shopify/ProductVariant/${variant}`,
      product: `gid://shopify/Product/${line.dataset.product}`,
      quantity: 1,
      unit,
      net: unit,
    };
    const { earns } = offers(account, program, { currency, lines: [one], mark: null });
    line.textContent = earns > 0 ? say('product.earn', { points: points(earns) }) : '';
  };

  draw(line.dataset.variant);
  document.addEventListener('change', function follow({ target }) {
    // Themes replace a product's section as a whole.
    if (!line.isConnected) return document.removeEventListener('change', follow);
    const chosen = target.form?.elements.id?.value;
    if (prices.has(chosen)) draw(chosen);
  });
}
