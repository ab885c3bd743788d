// Money as the rules count it, in whole minor units, and as Shopify's surfaces write it, in decimals.

/** Currencies without a minor unit, and those with three digits, as in `shared/src/money.rs`. */
const WHOLE = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ');
const THREE = 'BHD IQD JOD KWD LYD OMR TND'.split(' ');

/** How many decimal digits a currency has. */
export const digits = (currency) => (WHOLE.includes(currency) ? 0 : THREE.includes(currency) ? 3 : 2);

/** Minor units of an amount such as `{ amount: 12.5, currencyCode: 'GBP' }`: 1250. */
export const minor = (money) => Math.round(money.amount * 10 ** digits(money.currencyCode));

/** The decimal amount of minor units. */
export const major = (units, currency) => units / 10 ** digits(currency);
