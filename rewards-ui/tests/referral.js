// What the app tells a member of the friends they invite.

/** What both get, what the friend's order takes, and how long the points wait after it. */
export const GIVES = { advocate: 200, friend: 100, min: { GBP: 2_000 }, days: 30, wait_days: 14 };

export const referral = (rest = {}) => ({
  code: '7K3M9QXW',
  link: 'https://tea.myshopify.com/?ref=7K3M9QXW',
  gives: GIVES,
  waiting: 1,
  completed: 2,
  points: 400,
  ...rest,
});
