import { useState } from 'preact/hooks';

import { words } from '../../../rewards-ui/words.js';
import { Reward } from './reward.jsx';
import { choices, isOffered } from './shop.js';

/** What points buy, and why something cannot be had just now. */
export function Rewards({ rewards, account, currencies, redeem, paying }) {
  const { say } = words(shopify.i18n);
  const [wanted, want] = useState(undefined);
  const known = choices(currencies, rewards);
  const currency = known.includes(wanted) ? wanted : known[0];
  if (rewards.length === 0 || !currency) return null;
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
        {rewards.map((reward) => (
          <Reward
            key={reward.id}
            reward={reward}
            account={account}
            currency={currency}
            offered={isOffered(reward, currency)}
            redeem={redeem}
            paying={paying}
          />
        ))}
      </s-stack>
    </s-section>
  );
}
