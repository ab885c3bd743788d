// Answers of the app that several tests give.

export const HOLD = '0123456789abcdef0123456789abcdef';

/** A redemption of 450 points that is live, changed by what is given. */
export const redemption = (rest = {}) => ({
  id: HOLD,
  state: 'live',
  reward: 'five',
  points: 450,
  kind: 'amount',
  value: 500,
  currency: 'GBP',
  scope: 'cart',
  label: 'Loyalty points',
  mark: `${HOLD}.1`,
  expires_at: '2027-01-01T00:00:00Z',
  ...rest,
});
