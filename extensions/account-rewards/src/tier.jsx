import { words } from '../../../rewards-ui/words.js';

/** What is counted, as far as we have words for it. */
const COUNTED = { spend: 'spent', points: 'collected' };

/** How far a member is from tier to tier. Where that is not known, whoever has a tier is told so. */
export function Tier({ progress, tier }) {
  const { say, day } = words(shopify.i18n);
  const known = progress.known.value;
  const goal = goalOf(known);
  const own = known?.tier;
  const until = !goal?.isOwn && own?.takes?.until;
  const isUnknown = !known && tier && progress.trouble.value !== null;
  if (!goal && !until && !known?.is_highest && !isUnknown) return null;
  return (
    <s-section heading={say('tier.title')}>
      <s-stack gap="small">
        {goal && <Goal goal={goal} currency={known.currency} />}
        {known?.is_highest && <s-text>{say('tier.highest', { tier: own.name })}</s-text>}
        {until && <s-text color="subdued">{say('tier.enough', { day: day(until), tier: own.name })}</s-text>}
        {isUnknown && (
          <s-stack direction="inline" gap="base" alignItems="center">
            <s-text color="subdued">{say('tier.unknown')}</s-text>
            <s-button variant="secondary" onClick={() => progress.load()}>
              {say('again')}
            </s-button>
          </s-stack>
        )}
      </s-stack>
    </s-section>
  );
}

/** What is missing for a tier, and how much of it there is. */
function Goal({ goal, currency }) {
  const { say, points, money, day } = words(shopify.i18n);
  const { measure, at_least: needed, has, from } = goal.takes;
  const amount = (it) => (measure === 'spend' ? money(it, currency) : points(it));
  const given = {
    has: measure === 'spend' ? amount(has) : shopify.i18n.formatNumber(has),
    needed: amount(needed),
    day: day(from),
  };
  const counted = say(`tier.${COUNTED[measure]}`, given);
  return (
    <s-stack gap="small-200">
      <s-text type="strong">{toGo(goal, { say, amount })}</s-text>
      <s-progress value={Math.min(Math.max(has, 0), needed)} max={needed} accessibilityLabel={counted} />
      <s-text color="subdued">{counted}</s-text>
    </s-stack>
  );
}

/** The same in a line, for places that are small; nothing where there is no goal. */
export function goalLine(known) {
  const { say, points, money } = words(shopify.i18n);
  const goal = goalOf(known);
  const amount = (it) => (goal.takes.measure === 'spend' ? money(it, known.currency) : points(it));
  return goal && toGo(goal, { say, amount });
}

function toGo({ name: tier, takes: { missing }, isOwn }, { say, amount }) {
  if (isOwn) return say('tier.short', { missing: amount(missing), tier });
  return missing > 0 ? say('tier.to_go', { missing: amount(missing), tier }) : say('tier.reached', { tier });
}

/** What a member is after: to have enough for their own tier again, else the next one. */
function goalOf(known) {
  const isTold = (tier) => tier?.takes && tier.takes.measure in COUNTED;
  const own = known?.tier;
  if (isTold(own) && own.takes.missing > 0) return { ...own, isOwn: true };
  return isTold(known?.next) ? { ...known.next, isOwn: false } : null;
}
