import { cartOf, deliveryOf, taken } from '../../../rewards-ui/cart.js';
import { accountOf, programOf } from '../../../rewards-ui/metafields.js';
import { stage } from '../../../rewards-ui/redeeming.js';
import { words } from '../../../rewards-ui/words.js';
import { Reward } from './reward.jsx';
import { Standing } from './standing.jsx';

/** What the shopper has and may do. Nothing is offered that cannot be used here and now. */
export function Rewards({ rules, redeem, visit }) {
  const { say, points, trouble: told } = words(shopify.i18n);
  const entries = shopify.appMetafields.value;
  const mark = redeem.mark();
  const delivery = deliveryOf(shopify.deliveryGroups.value)?.before;
  const cart = cartOf(shopify, { delivery, mark: mark ? `${mark.hold}.${mark.attempt}` : null });
  const { account, hasProgram, earns, hold, rewards, nextReward } = rules.offers(
    accountOf(entries),
    programOf(entries),
    cart,
  );
  if (!account && visit.value === 'not_signed_in') return earns > 0 && <Guest earns={points(earns)} say={say} />;
  if (!account && !hasProgram) return null; // no programme here, or one that is newer than this

  const standing = redeem.redemption.value === undefined ? live(hold) : redeem.redemption.value;
  const worth = standing && worthOf(standing, hold, rewards);
  const comesOff = standing ? taken(shopify, standing, worth) : 0;
  const at = stage(standing, { mark, currency: cart.currency, taken: comesOff, late: redeem.late.value });
  // What stands is not offered again, unless it is on its way back.
  const stands = at && at !== 'closing' ? standing.reward : undefined;
  const ready = mayChange() ? rewards.filter(({ id }) => id !== stands) : [];
  const { trouble } = redeem;
  return (
    <s-section heading={say('title')}>
      <s-stack gap="base">
        <s-stack direction="inline" justifyContent="space-between" gap="small">
          <s-text type="strong">{points(redeem.balance.value ?? account?.points ?? 0)}</s-text>
          {account?.pending > 0 && (
            <s-text color="subdued">{say('pending', { points: points(account.pending) })}</s-text>
          )}
        </s-stack>
        {(at || redeem.busy.value) && (
          <Standing at={at} redemption={standing} comesOff={comesOff} redeem={redeem} mayChange={mayChange()} />
        )}
        {trouble.value && <s-banner tone="warning">{told(trouble.value.code)}</s-banner>}
        {ready.map((reward) => (
          <Reward key={reward.id} reward={reward} currency={cart.currency} redeem={redeem} />
        ))}
        {isWallet() && !at && <s-text color="subdued">{say('wallet')}</s-text>}
        {nextReward && (
          <s-text color="subdued">
            {say('next', { points: points(nextReward.missing), reward: nextReward.name })}
          </s-text>
        )}
        {earns > 0 && <s-text color="subdued">{say('earns', { points: points(earns) })}</s-text>}
      </s-stack>
    </s-section>
  );
}

function Guest({ earns, say }) {
  return (
    <s-section heading={say('title')}>
      <s-text color="subdued">{say('guest', { points: earns })}</s-text>
    </s-section>
  );
}

/** A hold that the metafield shows is live: checkouts see it. */
const live = (hold) => hold && { ...hold, state: 'live' };

/** What the rules say a redemption is worth in this cart. */
function worthOf({ id, reward, points }, hold, rewards) {
  if (hold?.id === id) return hold.worth;
  const choices = rewards.find((known) => known.id === reward)?.choices ?? [];
  return choices.find((choice) => choice.points === points)?.worth;
}

/** Apple Pay, Google Pay and their like: with them, carts cannot be changed. */
const isWallet = () => shopify.selectedPaymentOptions.value.some(({ type }) => type === 'wallet');

const mayChange = () => shopify.instructions.value.metafields.canSetCartMetafields && !isWallet();
