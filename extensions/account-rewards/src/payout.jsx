import { words } from '../../../rewards-ui/words.js';
import { isSettled } from './payouts.js';

/** What becomes of store credit or a gift card that was asked for. */
export function Payout({ paying }) {
  const { say, points, money } = words(shopify.i18n);
  const known = paying.payout.value;
  const asks = paying.busy.value !== null;
  if (!known && !asks) return null;
  const waits = asks || !isSettled(known);
  return (
    <s-section heading={say('payout.title')}>
      <s-grid gridTemplateColumns={waits ? 'auto 1fr' : '1fr'} gap="small" accessibilityRole="status">
        {waits && <s-spinner size="small" />}
        <s-text>{asks ? say('payout.paying') : what(known)}</s-text>
      </s-grid>
    </s-section>
  );

  function what({ state, kind, value, currency, points: cost }) {
    const at = state === 'done' ? `done_${kind}` : STATES.includes(state) ? state : 'asked';
    return say(`payout.${at}`, { amount: money(value, currency), points: points(cost) });
  }
}

/** Where a payout may stand besides; whether Shopify was asked yet is nothing to a shopper. */
const STATES = ['unknown', 'refused'];
