import { useState } from 'preact/hooks';

import { words } from '../../../rewards-ui/words.js';
import { choices, isOffered } from './currencies.js';
import { Reward } from './reward.jsx';

/** Paid out at once, which this page does not do. */
const PAYOUTS = ['store_credit', 'gift_card'];

/** What points buy, and why something cannot be had just now. */
export function Rewards({ rewards, account, currencies, redeem }) {
  const { say } = words(shopify.i18n);
  const [wanted, want] = useState(undefined);
  const known = choices(currencies, rewards);
  const currency = known.includes(wanted) ? wanted : known[0];
  const shown = rewards.filter(({ benefit }) => !PAYOUTS.includes(benefit.kind));
  if (shown.length === 0 || !currency) return null;
  return (
    <s-section heading={say('rewards')}>
      <s-stack gap="base">
        {known.length > 1 && (
          <s-select label={say('currency')} value={currency} onChange={(event) => want(event.currentTarget.value)}>
            {known.map((code) => (
              <s-option key={code} value={code}>
                {code}
              </s-option>
            ))}
          </s-select>
        )}
        {shown.map((reward) => (
          <Reward
            key={reward.id}
            reward={reward}
            account={account}
            currency={currency}
            offered={isOffered(reward, currency)}
            redeem={redeem}
          />
        ))}
      </s-stack>
    </s-section>
  );
}
