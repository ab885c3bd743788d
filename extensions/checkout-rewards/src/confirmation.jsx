import { signal } from '@preact/signals-core';

import { cartOf } from '../../../rewards-ui/cart.js';
import { client } from '../../../rewards-ui/client.js';
import { draw } from '../../../rewards-ui/draw.js';
import { accountOf, programOf } from '../../../rewards-ui/metafields.js';
import { rules } from '../../../rewards-ui/rules.js';
import { words } from '../../../rewards-ui/words.js';
import { earned } from './earned.js';

/** The block on the thank-you page and the order's page: what the order earned, for guests what it would. */
export async function confirm(order) {
  const app = client({ token: () => shopify.sessionToken.get() });
  /** What the app says; before it knows of the order, what the rules expect. */
  const told = signal({ at: 'expected' });
  const known = await rules();
  draw(() => <Earned rules={known} told={told} />);
  if (order) told.value = await earned(app, order);
}

function Earned({ rules, told }) {
  const { say, points } = words(shopify.i18n);
  const entries = shopify.appMetafields.value;
  const { earns } = rules.offers(accountOf(entries), programOf(entries), cartOf(shopify));
  const { at, points: known = earns ?? 0 } = told.value;
  if (at === 'nothing' || (known <= 0 && at !== 'unknown')) return null;
  const register = shopify.shop.storefrontUrl && `${shopify.shop.storefrontUrl.replace(/\/$/, '')}/account/register`;
  return (
    <s-section heading={say('title')}>
      <s-stack gap="base" accessibilityRole="status">
        <s-text>{say(`earned.${at}`, { points: points(known) })}</s-text>
        {(at === 'guest' || at === 'welcome') && register && (
          <s-link href={register} target="_blank">
            {say('join')}
          </s-link>
        )}
      </s-stack>
    </s-section>
  );
}
