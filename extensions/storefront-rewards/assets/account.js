// The member's account: as Liquid wrote its metafield into the page, then as the app tells it.

/** A JSON attribute of Liquid's; undefined where it is not JSON. */
export function parsed(text) {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * What the app said, as the metafield will say it, so that the rules read both alike. What is on its way back can be
 * used for another reward, too.
 */
export function accountOf({ points, pending, seq, next, redemption }, before, program) {
  const hold = redemption ? holdOf(redemption, program) : undefined;
  return { v: 1, seq, points, pending, tier: before?.tier, segment: before?.segment, next: next ?? undefined, hold };
}

/** What the app does not repeat of a hold's terms stands in its reward. */
function holdOf({ id, scope, kind, points, value, currency, reward }, program) {
  const { benefit, min } = program?.rewards?.find((one) => one.id === reward) ?? {};
  const amounts = { cap: benefit?.cap?.[currency], min: min?.[currency] };
  return { id, scope, kind, points, value, cur: currency, ...amounts, variant: benefit?.variant, label: '' };
}
