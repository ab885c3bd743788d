import { words } from '../../../rewards-ui/words.js';

/** What is set aside, and the button that gives it back. */
export function Standing({ redemption, redeem }) {
  const { say, points } = words(shopify.i18n);
  const busy = redeem.busy.value;
  const at = redemption && STANDS.includes(redemption.state) ? redemption.state : null;
  if (!at && !busy) return null;
  const waits = busy ?? (at === 'opening' ? at : null);
  return (
    <s-section heading={say('aside')}>
      <s-stack gap="base">
        <s-grid gridTemplateColumns={waits ? 'auto 1fr' : '1fr'} gap="small" accessibilityRole="status">
          {waits && <s-spinner size="small" />}
          <s-text>
            {say(
              `standing.${waits ?? where()}`,
              at && { points: points(redemption.points), currency: redemption.currency },
            )}
          </s-text>
        </s-grid>
        {at && at !== 'closing' && (
          <s-stack direction="inline">
            <s-button variant="secondary" disabled={busy !== null} onClick={() => redeem.cancel(redemption.id)}>
              {say('take_back')}
            </s-button>
          </s-stack>
        )}
      </s-stack>
    </s-section>
  );

  /** A live one is for the next order, or was picked in a cart. */
  function where() {
    if (at !== 'live') return at;
    return redemption.scope === 'next_order' ? 'next_order' : 'cart';
  }
}

const STANDS = ['opening', 'live', 'closing'];
