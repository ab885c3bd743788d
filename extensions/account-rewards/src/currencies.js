// Which currencies the shop takes. The page has no cart, so the shopper says in which the next order will be.

const QUERY = `query currencies {
  localization { country { currency { isoCode } } }
  shop { paymentSettings { currencyCode enabledPresentmentCurrencies } }
}`;

/** The shopper's own first, then the shop's, then the others. @returns {Promise<import('../../../rewards-ui/client.js').Answer>} */
export async function currencies(shopify) {
  const { data } = await shopify.query(QUERY).catch(() => ({}));
  const { currencyCode, enabledPresentmentCurrencies = [] } = data?.shop?.paymentSettings ?? {};
  const own = data?.localization?.country?.currency?.isoCode;
  const all = [own, currencyCode, ...enabledPresentmentCurrencies];
  return { value: [...new Set(all)].filter((code) => enabledPresentmentCurrencies.includes(code)), status: 200 };
}

/** Those that a reward is offered in; nothing for a reward that is the same in any. */
const offeredIn = ({ benefit }) => benefit.value && Object.keys(benefit.value);

/** What the next order may be in: what the shop takes; where that is not known, what rewards are offered in. */
export function choices(known, rewards) {
  if (known.length > 0) return known;
  return [...new Set(rewards.flatMap((reward) => offeredIn(reward) ?? []))];
}

export const isOffered = (reward, currency) => offeredIn(reward)?.includes(currency) ?? true;
