// What the shop says of itself: which currencies it takes, and what inviting friends brings.

import { isObject } from '../../../rewards-ui/client.js';

// The page has no cart, and no `appMetafields`. A metafield without a namespace is the app's own.
const QUERY = `query shop {
  localization { country { currency { isoCode } } }
  shop {
    paymentSettings { currencyCode enabledPresentmentCurrencies }
    metafield(key: "program_ui") { value }
  }
}`;

/** What of it is known; whatever is not leaves the page without. @returns {Promise<import('../../../rewards-ui/client.js').Answer>} */
export async function askShop(shopify) {
  const { data } = await shopify.query(QUERY).catch(() => ({}));
  return { value: { currencies: currencies(data), invites: invites(data?.shop?.metafield?.value) }, status: 200 };
}

/** The shopper's own first, then the shop's, then the others. */
function currencies(data) {
  const { currencyCode, enabledPresentmentCurrencies = [] } = data?.shop?.paymentSettings ?? {};
  const own = data?.localization?.country?.currency?.isoCode;
  const all = [own, currencyCode, ...enabledPresentmentCurrencies];
  return [...new Set(all)].filter((code) => enabledPresentmentCurrencies.includes(code));
}

/** Whether the program has anything for whoever invites friends. */
function invites(program) {
  try {
    const { v, referrals } = JSON.parse(program);
    return v === 1 && isObject(referrals);
  } catch {
    return false;
  }
}

/** Those that a reward is offered in; nothing for a reward that is the same in any. */
const offeredIn = ({ benefit }) => benefit.value && Object.keys(benefit.value);

/** What the next order may be in: what the shop takes; where that is not known, what rewards are offered in. */
export function choices(known, rewards) {
  if (known.length > 0) return known;
  return [...new Set(rewards.flatMap((reward) => offeredIn(reward) ?? []))];
}

export const isOffered = (reward, currency) => offeredIn(reward)?.includes(currency) ?? true;
