// What Shopify shows to an extension, from what this shop says of itself.

import { get, put } from './api.js';

/** Minor units as Shopify's surfaces write money. */
const digits = (currency) =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
const money = (minor, currency) => ({ amount: minor / 10 ** digits(currency), currencyCode: currency });

const sum = (list) => list.reduce((total, value) => total + value, 0);

/** The values that change, of a surface that shows a cart: its checkout, or an order in its place. */
export function cartSignals({ currency, lines, discounts = [], shipping }, entries) {
  const allocation = ({ discount, amount }) => ({
    type: 'automatic',
    title: discounts[discount].title,
    discountedAmount: money(amount, currency),
  });
  const ofClass = (name) => (it) => discounts[it.discount].class === name;
  const orderDiscounts = discounts.filter((discount) => discount.class === 'ORDER');
  return {
    appMetafields: entries,
    'localization.currency': { isoCode: currency },
    'localization.extensionLanguage': { isoCode: 'en' },
    discountAllocations: orderDiscounts.map(({ title, amount }) => ({
      type: 'automatic',
      title,
      discountedAmount: money(amount, currency),
    })),
    lines: lines.map((line, at) => {
      const own = (line.allocations ?? []).filter(ofClass('PRODUCT'));
      // An order's lines do not say which discount took what off them.
      const total = line.allocations ? line.price - sum(own.map(({ amount }) => amount)) : line.net;
      return {
        id: `gid://shopify/CartLine/${line.id ?? at}`,
        quantity: line.quantity,
        cost: { totalAmount: money(total, currency) },
        attributes: [],
        discountAllocations: own.map(allocation),
        lineComponents: [],
        parentRelationship: null,
        merchandise: {
          type: 'variant',
          id: `gid://shopify/ProductVariant/${line.variant}`,
          title: line.title,
          subtitle: line.variant_title,
          selectedOptions: [],
          requiresShipping: true,
          product: {
            id: `gid://shopify/Product/${line.product}`,
            vendor: '',
            productType: line.gift_card ? 'Gift card' : '',
          },
        },
      };
    }),
    deliveryGroups: shipping ? [deliveryGroup(shipping, currency)] : [],
  };
}

function deliveryGroup({ title, price, net }, currency) {
  const option = {
    type: 'shipping',
    handle: title,
    title,
    code: title,
    metafields: [],
    carrier: {},
    deliveryEstimate: {},
    cost: money(price, currency),
    costAfterDiscounts: money(net, currency),
  };
  return {
    groupType: 'oneTimePurchase',
    isDeliveryRequired: true,
    targetedCartLines: [],
    deliveryOptions: [option],
    selectedDeliveryOption: { handle: title },
  };
}

/** What any extension may ask of its surface. */
export const methods = {
  'sessionToken.get': async () => (await get('/shop/session/token')).token,
  /** The one question that our extensions ask the Storefront API: which currencies there are, and the program. */
  query: async () => {
    const [{ currency, currencies }, { app_metafields: entries }] = await Promise.all([
      get('/shop'),
      get('/demo/api/surface'),
    ]);
    const program = entries.find(({ target }) => target.type === 'shop')?.metafield;
    return {
      data: {
        localization: { country: { currency: { isoCode: currency } } },
        shop: {
          paymentSettings: { currencyCode: currency, enabledPresentmentCurrencies: currencies },
          metafield: program ? { value: program.value } : null,
        },
      },
    };
  },
};

/** A cart takes the changes of the app's own metafield, then checkout asks the Functions anew. */
export const cartMethods = (changed) => ({
  ...methods,
  applyMetafieldChange: async ({ type, metafield, namespace, key }) => {
    if ((metafield?.namespace ?? namespace) !== '$app')
      return { type: 'error', message: 'not a namespace of this app' };
    const value = type === 'updateCartMetafield' ? JSON.parse(metafield.value) : null;
    await put(`/shop/cart/metafields/${metafield?.key ?? key}`, value);
    await changed();
    return { type: 'success' };
  },
});
