// In the checkout: the sandbox, then a minute in which the cart is changed and the Function's echo listened to.

import '@shopify/ui-extensions/preact';

import { render } from 'preact';

import { judge } from './judge.js';
import { report } from './report.js';
import { sandbox } from './sandbox.js';
import { Screen } from './screen.jsx';
import { watch } from './watch.js';

const TARGET = 'purchase.checkout.block.render';
const SECONDS = 60;
/** Checkout has so many seconds to ask the Function and show what came of it. */
const INTERVAL = 5;

export default async function checkout() {
  const tried = await sandbox();
  const more = {
    name: `Watch for ${SECONDS} seconds`,
    async run(tell) {
      tell('Now write the customer’s metafield.');
      const each = (samples) => tell(`${samples.length * INTERVAL} of ${SECONDS} seconds`);
      const { samples, refused } = await watch(shopify, { seconds: SECONDS, interval: INTERVAL, each });
      const entries = shopify.appMetafields.value;
      const isSignedIn = entries.some(({ target }) => target.type === 'customer');
      const payment = (shopify.selectedPaymentOptions?.value ?? []).map(({ type }) => type);
      const switches = judge(samples, { interval: INTERVAL, isSignedIn });
      return report(TARGET, { sandbox: tried, switches, seen: { isSignedIn, payment, refused, samples } });
    },
  };
  const first = report(TARGET, { sandbox: tried });
  console.log(first);
  render(<Screen first={first} more={more} />, document.body);
}
