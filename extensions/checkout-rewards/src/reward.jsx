import { words } from '../../../rewards-ui/words.js';

/** A reward that can be had, and the button that has it. In steps, with a choice of how many points. */
export function Reward({ reward: { id, name, choices }, currency, redeem }) {
  const { say, points, money } = words(shopify.i18n);
  // The most there is, unless another was chosen and can still be had.
  const choice = choices.find((known) => known.points === redeem.chosen.value[id]) ?? choices[choices.length - 1];
  const inSteps = choices.length > 1;
  const busy = redeem.busy.value !== null;
  const choose = (points) => {
    redeem.chosen.value = { ...redeem.chosen.value, [id]: points };
  };
  const pick = () => redeem.pick({ reward: id, currency, scope: 'cart', ...(inSteps && { points: choice.points }) });
  return (
    <s-grid gridTemplateColumns="1fr auto" gap="base" alignItems="center">
      <s-stack gap="small-200">
        <s-text type="strong">{name}</s-text>
        {inSteps ? (
          <s-select
            label={say('steps')}
            value={String(choice.points)}
            disabled={busy}
            onChange={(event) => choose(Number(event.currentTarget.value))}
          >
            {choices.map((step) => (
              <s-option key={step.points} value={String(step.points)}>
                {say('step', { amount: money(step.worth, currency), points: points(step.points) })}
              </s-option>
            ))}
          </s-select>
        ) : (
          <s-text color="subdued">
            {say('step', { amount: money(choice.worth, currency), points: points(choice.points) })}
          </s-text>
        )}
      </s-stack>
      <s-button
        variant="secondary"
        disabled={busy}
        accessibilityLabel={say('use_label', { points: points(choice.points), reward: name })}
        onClick={pick}
      >
        {say('use')}
      </s-button>
    </s-grid>
  );
}
