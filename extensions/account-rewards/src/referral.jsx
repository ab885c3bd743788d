import { useState } from 'preact/hooks';

import { words } from '../../../rewards-ui/words.js';
import { Known } from './known.jsx';

/** What inviting friends brings, the member's own link, and what became of it. */
export function Referral({ referral, currency }) {
  const { say } = words(shopify.i18n);
  if (referral.trouble.value === 'no_referrals') return null; // the program has changed meanwhile
  return (
    <s-section heading={say('referral.title')}>
      <Known of={referral}>
        {() => (
          <s-stack gap="base">
            <Gives gives={referral.known.value.gives} currency={currency} />
            <Link link={referral.known.value.link} />
            <Friends {...referral.known.value} />
          </s-stack>
        )}
      </Known>
    </s-section>
  );
}

/** What both get, and what the friend's order takes. */
function Gives({ gives: { advocate, friend, min, days, wait_days: wait }, currency }) {
  const { say, points, money } = words(shopify.i18n);
  // It is the shop's, and holds in any currency that the friend pays in.
  const [code, atLeast] = currency in min ? [currency, min[currency]] : (Object.entries(min)[0] ?? []);
  return (
    <s-stack gap="small-200">
      {advocate > 0 && <s-text>{say('referral.advocate', { points: points(advocate) })}</s-text>}
      {friend > 0 && <s-text>{say('referral.friend', { points: points(friend) })}</s-text>}
      {atLeast > 0 && (
        <s-text color="subdued">{say('referral.minimum', { amount: money(atLeast, code) })}</s-text>
      )}
      <s-text color="subdued">
        {say('referral.days', { count: days, number: shopify.i18n.formatNumber(days) })}
      </s-text>
      {wait > 0 && (
        <s-text color="subdued">
          {say('referral.wait', { count: wait, number: shopify.i18n.formatNumber(wait) })}
        </s-text>
      )}
    </s-stack>
  );
}

/** The link as a field, so that it can be selected by hand where copying is not allowed. */
function Link({ link }) {
  const { say } = words(shopify.i18n);
  /** `copied` or `not_copied`, after a press on the button. */
  const [outcome, tell] = useState(undefined);
  return (
    <s-stack gap="small-200">
      <s-grid gridTemplateColumns="1fr auto" gap="small" alignItems="end">
        <s-text-field label={say('referral.link')} value={link} readOnly />
        <s-button variant="secondary" commandFor="referral-link" command="--copy">
          {say('referral.copy')}
        </s-button>
      </s-grid>
      <s-clipboard-item
        id="referral-link"
        text={link}
        oncopy={() => tell('copied')}
        oncopyerror={() => tell('not_copied')}
      />
      <s-stack accessibilityRole="status">{outcome && <s-text>{say(`referral.${outcome}`)}</s-text>}</s-stack>
    </s-stack>
  );
}

function Friends({ waiting, completed, points: brought }) {
  const { say, points } = words(shopify.i18n);
  const number = (count) => ({ number: shopify.i18n.formatNumber(count) });
  if (waiting === 0 && completed === 0) return null;
  return (
    <s-stack gap="small-200">
      {completed > 0 && <s-text>{say('referral.completed', number(completed))}</s-text>}
      {completed > 0 && <s-text>{say('referral.brought', { points: points(brought) })}</s-text>}
      {waiting > 0 && <s-text color="subdued">{say('referral.waiting', number(waiting))}</s-text>}
    </s-stack>
  );
}
