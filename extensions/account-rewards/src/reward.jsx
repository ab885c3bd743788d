import { useState } from 'preact/hooks';

import { words } from '../../../rewards-ui/words.js';
import { isSettled } from './payouts.js';

/** Paid out at once, not held for an order: what is asked before, and the button that does it. */
const PAYOUTS = {
  store_credit: ['store_credit.sure', 'store_credit.send'],
  gift_card: ['gift_card.sure', 'gift_card.send'],
};

/** A reward: what it gives, and the button that has it now or for the next order, or why there is none. */
export function Reward({ reward, account, currency, offered, redeem, paying }) {
  const { say, points, money } = words(shopify.i18n);
  const [wanted, want] = useState(undefined);
  const [asksAgain, askAgain] = useState(false);
  const isPaidOut = reward.benefit.kind in PAYOUTS;
  // A pick replaces what stands, whose points come back first.
  const spendable = account.points + (account.redemption?.points ?? 0);
  const steps = stepsOf(reward, spendable);
  const cost = steps.includes(wanted) ? wanted : steps[steps.length - 1];
  const isHeld = account.redemption?.reward === reward.id && ['opening', 'live'].includes(account.redemption.state);
  const canBeHad = offered && !reward.refused && !isHeld;
  const payout = paying.payout.value;
  // Payouts are made one at a time, so that what Shopify made can be told apart.
  const waits = isPaidOut && payout !== null && !isSettled(payout);
  const busy = redeem.busy.value !== null || paying.busy.value !== null || waits;
  const mayChoose = canBeHad && steps.length > 1;
  const { id, name } = reward;
  return (
    <s-stack gap="small">
      <s-grid gridTemplateColumns="1fr auto" gap="base" alignItems="center">
        <s-stack gap="small-200">
          <s-text type="strong">{name}</s-text>
          {!mayChoose && <s-text color="subdued">{say('gives', { what: what(cost), points: points(cost) })}</s-text>}
          {why() && <s-text color="subdued">{why()}</s-text>}
          {mayChoose && (
            <s-select
              label={say('steps')}
              value={String(cost)}
              disabled={busy}
              onChange={(event) => want(Number(event.currentTarget.value))}
            >
              {steps.map((step) => (
                <s-option key={step} value={String(step)}>
                  {say('gives', { what: what(step), points: points(step) })}
                </s-option>
              ))}
            </s-select>
          )}
        </s-stack>
        {canBeHad && !asksAgain && (
          <s-button
            variant="secondary"
            disabled={busy}
            accessibilityLabel={say('use_label', { points: points(cost), reward: name })}
            onClick={pick}
          >
            {say('use')}
          </s-button>
        )}
      </s-grid>
      {canBeHad && asksAgain && confirmation()}
    </s-stack>
  );

  /** Nobody can take back what is paid out, so it takes a second press. */
  function pick() {
    if (isPaidOut) askAgain(true);
    else redeem.pick({ reward: id, currency, ...(steps.length > 1 && { points: cost }) });
  }

  function confirmation() {
    const [sure, does] = PAYOUTS[reward.benefit.kind];
    const send = () => {
      askAgain(false);
      paying.pick({ reward: id, currency });
    };
    return (
      <s-stack gap="small-200" accessibilityRole="status">
        <s-text>{say(sure)}</s-text>
        <s-stack direction="inline" gap="small">
          <s-button variant="primary" disabled={busy} onClick={send}>
            {say(does)}
          </s-button>
          <s-button variant="secondary" onClick={() => askAgain(false)}>
            {say('not_now')}
          </s-button>
        </s-stack>
      </s-stack>
    );
  }

  /** What a pick of so many points gives. */
  function what(spent) {
    const { kind, value, basis_points: basisPoints } = reward.benefit;
    if (kind === 'percent') return say('benefit.off', { amount: percent(basisPoints) });
    if (isPaidOut && offered) return say(`benefit.${kind}`, { amount: money(value[currency], currency) });
    if (isPaidOut) return name;
    if (kind !== 'amount' && kind !== 'steps') return say(kind === 'shipping' ? 'benefit.shipping' : 'benefit.product');
    const each = value[currency] ?? 0;
    return offered ? say('benefit.off', { amount: money((each * spent) / reward.points, currency) }) : name;
  }

  function percent(basisPoints) {
    return shopify.i18n.formatNumber(basisPoints / 10_000, { style: 'percent', maximumFractionDigits: 2 });
  }

  function why() {
    if (isHeld) return undefined;
    if (!offered) return say('refused.currency', { currency });
    if (!reward.refused) return undefined;
    if (reward.refused === 'insufficient_points') {
      return say('refused.short', { points: points(Math.max(1, reward.points - spendable)) });
    }
    return say(REFUSED.includes(reward.refused) ? `refused.${reward.refused}` : 'refused.other');
  }
}

/** Reasons with a sentence of their own. */
const REFUSED = ['not_yet', 'over', 'other_tier', 'limit_reached', 'sold_out', 'under_review'];

/** The points of each way to have a reward, up to what there is to spend: the least of it is always shown. */
function stepsOf({ points, benefit }, spendable) {
  if (benefit.kind !== 'steps') return [points];
  const most = Math.max(1, Math.min(benefit.most, Math.floor(spendable / points)));
  const stride = Math.ceil(most / LIST);
  const steps = Array.from({ length: Math.floor((most - 1) / stride) }, (_, nth) => (nth + 1) * stride);
  return [...new Set([1, ...steps, most])].map((step) => step * points);
}

/** Nobody reads a longer list: some steps are left out, never the first or the last. */
const LIST = 50;
