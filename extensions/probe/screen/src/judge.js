// What a watch's samples come to.

import { short } from './echo.js';

/**
 * The switches that a checkout's samples answer: `{ began, wrote, echo, customer }`. At `began`, in seconds since 1970,
 * `wrote` was written to the cart and the Function ran; `echo` is what it said a while later, and `customer` the
 * customer's metafield as the extension saw it then.
 */
export function judge(samples, { interval, isSignedIn }) {
  const heard = samples.filter(({ echo }) => echo);
  if (heard.length === 0) return {};
  const isAuthenticated = heard.some(({ echo }) => echo.authenticated);
  return {
    cart_metafield_freshness: freshness(Math.max(...heard.map(behind)) * interval),
    metafield_freshness: customerFreshness(heard),
    authentication: isAuthenticated ? 'as_signed_in' : isSignedIn ? 'false_under_shop_pay' : undefined,
  };
}

const freshness = (seconds) => (seconds === 0 ? 'immediate' : { stale_for: Math.max(1, Math.round(seconds)) });

/** By how many writes the Function's cart is behind. */
const behind = ({ wrote, echo }) => (echo.cart === 0 ? wrote : (short(wrote) - echo.cart + 15) % 15);

/** How old the customer's new metafield was when the Function saw it first; nothing where nobody wrote one meanwhile. */
function customerFreshness(samples) {
  const old = samples[0].echo.customer;
  const change = samples.find(({ echo }) => echo.customer !== old);
  if (!change) return undefined;
  const written = writtenAt(change, samples);
  // Fresh is what the first run after it saw; it is told in whole seconds, so it was written within the one that follows.
  const isMissed = samples.some(({ began, echo }) => began >= written + 1 && began < change.began && echo.customer === old);
  return freshness(isMissed ? change.began - written : 0);
}

/** The metafield says when it was written. The echo has room for a part of it only: then it is the newest time that fits. */
function writtenAt({ began, echo }, samples) {
  const known = samples.map(({ customer }) => customer).find((time) => short(time) === echo.customer);
  const now = Math.floor(began);
  const age = Array.from({ length: 15 }, (_, age) => age).find((age) => short(now - age) === echo.customer);
  return known ?? now - age;
}
