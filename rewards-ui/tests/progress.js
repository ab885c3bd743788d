// How far members are from tier to tier, as the app says it.

/** What a tier takes, and what the member has of it. */
export const takes = (has, missing, rest = {}) => ({
  measure: 'spend',
  at_least: has + missing,
  from: '2025-11-28',
  has,
  missing,
  until: missing > 0 ? null : '2027-03-12',
  ...rest,
});

const silver = (of) => ({ id: 'silver', name: 'Silver', takes: of });
const gold = (of) => ({ id: 'gold', name: 'Gold', takes: of });

/** Of a member in silver, if nothing else is said. */
export const progress = (rest = {}) => ({
  currency: 'GBP',
  tier: silver(takes(32_000, 0, { at_least: 20_000 })),
  next: gold(takes(32_000, 18_000)),
  is_highest: false,
  ...rest,
});

export const BY_POINTS = progress({ tier: null, next: gold(takes(1_200, 300, { measure: 'points' })) });
export const REACHED = progress({ next: gold(takes(60_000, 0, { at_least: 50_000 })) });
export const SHORT = progress({ tier: silver(takes(16_000, 4_000)) });
export const IN_DEBT = progress({ tier: silver(takes(-500, 20_500)) });
export const HIGHEST = progress({ tier: gold(takes(60_000, 0, { at_least: 50_000 })), next: null, is_highest: true });
export const NO_TIERS = progress({ tier: null, next: null });
