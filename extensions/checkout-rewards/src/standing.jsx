import { words } from '../../../rewards-ui/words.js';

/** What is set aside, whether checkout took it off, and what can be done with it from this cart. */
export function Standing({ at, redemption, comesOff, redeem, mayChange }) {
  const { say, points, money } = words(shopify.i18n);
  const busy = redeem.busy.value;
  return (
    <s-box padding="base" border="base" borderRadius="base">
      <s-stack gap="base">
        {busy ? <Waiting text={say(`standing.${busy}`)} /> : stands()}
        {at && at !== 'closing' && (
          <s-stack direction="inline" gap="base">
            {buttons()}
          </s-stack>
        )}
      </s-stack>
    </s-box>
  );

  function stands() {
    const { currency } = redemption;
    const given = { points: points(redemption.points), amount: money(comesOff, currency), currency };
    const text = say(`standing.${at}`, given);
    if (at === 'opening' || at === 'confirming') return <Waiting text={text} />;
    return (
      <s-stack gap="small-200" accessibilityRole="status">
        <s-text type="strong">{text}</s-text>
        {HINTS.includes(at) && <s-text color="subdued">{say(`hint.${at}`)}</s-text>}
      </s-stack>
    );
  }

  function buttons() {
    const { id } = redemption;
    const again = at === 'unconfirmed' || at === 'elsewhere';
    return [
      again && mayChange && (
        <s-button key="again" disabled={busy !== null} onClick={() => redeem.useHere(id)}>
          {say(at === 'elsewhere' ? 'use_here' : 'try_again')}
        </s-button>
      ),
      <s-button key="back" variant="secondary" disabled={busy !== null} onClick={() => redeem.remove(id)}>
        {say('take_back')}
      </s-button>,
    ];
  }
}

function Waiting({ text }) {
  return (
    <s-grid gridTemplateColumns="auto 1fr" gap="small" accessibilityRole="status">
      <s-spinner size="small" />
      <s-text>{text}</s-text>
    </s-grid>
  );
}

/** What needs a second sentence. */
const HINTS = ['closing', 'elsewhere', 'unconfirmed'];
