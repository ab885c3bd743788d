import { words } from '../../../rewards-ui/words.js';

/** What a member has, what is on its way, and what runs out next. */
export function Balance({ account: { points: balance, pending, next, tier } }) {
  const { say, points, day } = words(shopify.i18n);
  return (
    <s-section heading={say('balance')}>
      <s-stack gap="small-200">
        <s-stack direction="inline" gap="base" alignItems="center">
          <s-heading>{points(balance)}</s-heading>
          {tier && <s-badge>{tier.name}</s-badge>}
        </s-stack>
        {pending > 0 && <s-text color="subdued">{say('pending', { points: points(pending) })}</s-text>}
        {next && <s-text color="subdued">{say('expiry', { points: points(next.points), day: day(next.at) })}</s-text>}
      </s-stack>
    </s-section>
  );
}
