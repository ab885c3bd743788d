// The cart of a surface as the rules read it, and what checkout takes off it.

import { minor } from './money.js';

const sum = (list) => list.reduce((total, value) => total + value, 0);
const off = (allocations) => sum(allocations.map((allocation) => minor(allocation.discountedAmount)));

/**
 * Checkout says neither what a line cost before discounts nor whether it is a gift card: the first is added up, the
 * second is what its type is called in most shops. So the rules' figures are estimates until checkout confirms them.
 *
 * @param {Pick<import('@shopify/ui-extensions/checkout').StandardApi, 'lines' | 'localization' | 'discountAllocations'>} shopify
 * @param {{ delivery?: number, attempt?: number, mark?: string }} rest
 */
export function cartOf(shopify, rest = {}) {
  const lines = shopify.lines.value;
  const paid = sum(lines.map((line) => minor(line.cost.totalAmount)));
  // What comes off the whole order comes off each line by its share.
  const share = paid > 0 ? Math.min(1, off(shopify.discountAllocations.value) / paid) : 0;
  return {
    currency: shopify.localization.currency.value.isoCode,
    lines: lines.map(({ merchandise, quantity, cost, discountAllocations }) => {
      const total = minor(cost.totalAmount);
      return {
        variant: merchandise.id,
        product: merchandise.product.id,
        quantity,
        unit: Math.round((total + off(discountAllocations)) / quantity),
        net: total - Math.round(total * share),
        giftCard: /gift.?card/i.test(merchandise.product.productType),
      };
    }),
    ...rest,
  };
}

/** What the chosen delivery costs before discounts and after them, in minor units; none before one is chosen. */
export function deliveryOf(groups) {
  const chosen = groups.flatMap(({ deliveryOptions, selectedDeliveryOption }) =>
    deliveryOptions.filter(({ handle, cost }) => handle === selectedDeliveryOption?.handle && cost),
  );
  if (chosen.length === 0) return undefined;
  return {
    before: sum(chosen.map(({ cost }) => minor(cost))),
    after: sum(chosen.map(({ costAfterDiscounts }) => minor(costAfterDiscounts))),
  };
}

/**
 * What checkout takes off for a redemption, in minor units: the truth, whatever the rules expect. Our discount is known
 * by its title; where the app did not tell it, by being worth exactly what the rules say.
 *
 * @param {{ kind: string, label?: string }} redemption
 * @param {number | null | undefined} worth
 */
export function taken(shopify, { kind, label }, worth) {
  const onLines = shopify.lines.value.flatMap((line) => line.discountAllocations);
  const byTitle = new Map();
  for (const { type, title, discountedAmount } of [...shopify.discountAllocations.value, ...onLines]) {
    if (type === 'code') continue;
    byTitle.set(title, (byTitle.get(title) ?? 0) + minor(discountedAmount));
  }
  const delivery = deliveryOf(shopify.deliveryGroups.value);
  // Allocations name what is off the goods; delivery shows it in its price.
  const offDelivery = kind === 'shipping' && delivery ? delivery.before - delivery.after : 0;
  if (label !== undefined) return byTitle.get(label) ?? offDelivery;
  return [...byTitle.values(), offDelivery].find((amount) => amount > 0 && amount === worth) ?? 0;
}
