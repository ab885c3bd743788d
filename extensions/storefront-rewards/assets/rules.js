// The rules, which are the backend's and the checkout's own, compiled for browsers; and what they need of a cart.

let loaded;

/** The rules: WebAssembly where there is any and it is allowed, the same as JavaScript elsewhere. */
export function rules() {
  loaded ??= fast().catch(() => import('./loyalty-js.js').then(({ rules }) => rules()));
  loaded.catch(() => (loaded = undefined));
  return loaded;
}

async function fast() {
  const [{ rules }, answer] = await Promise.all([
    import('./loyalty-wasm.js'),
    fetch(new URL('./loyalty.wasm', import.meta.url)),
  ]);
  if (!answer.ok) throw new Error(`the rules were answered with ${answer.status}`);
  return rules(await answer.arrayBuffer());
}

/** The cart of the theme's API as the rules read it. */
export function cartOf({ currency, items, cart_level_discount_applications: discounts = [] }, mark) {
  const exact = minorUnits(currency);
  const lines = items.map((item) => ({
    variant: `gid://shopify/ProductVariant/${item.variant_id}`,
    product: `gid://shopify/Product/${item.product_id}`,
    quantity: item.quantity,
    unit: exact(item.original_price),
    net: exact(item.final_line_price),
    giftCard: item.gift_card,
  }));
  spread(lines, discounts.reduce((sum, { total_allocated_amount: amount }) => sum + exact(amount), 0));
  return { currency, lines, mark };
}

/** A discount of the whole cart, shared out over what it can be taken off. */
function spread(lines, discount) {
  const bearing = lines.filter(({ giftCard }) => !giftCard);
  let left = bearing.reduce((sum, { net }) => sum + net, 0);
  for (const line of bearing) {
    const share = left > 0 ? Math.min(line.net, Math.round((discount * line.net) / left)) : 0;
    left -= line.net;
    discount -= share;
    line.net -= share;
  }
}

/** Currencies without a minor unit, and those with three digits, as in `shared/src/money.rs`: languages write some without
 * that have one (forints), so `Intl` does not know. */
const WHOLE = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ');
const THREE = 'BHD IQD JOD KWD LYD OMR TND'.split(' ');

/** How many decimal digits a currency has. */
export const digits = (currency) => (WHOLE.includes(currency) ? 0 : THREE.includes(currency) ? 3 : 2);

/** Themes tell money in hundredths, whatever the currency has: ¥1,000 is 100000. */
export const minorUnits = (currency) => (hundredths) => Math.round(hundredths * 10 ** (digits(currency) - 2));
