// What the rules say in a test: given, so that a view is tested for what it makes of it. The rules themselves are tested
// where they are, and together with the views in a real browser (`tests/ui`).

export const NOTHING = {
  account: null,
  hasProgram: false,
  earns: null,
  hold: null,
  rewards: [],
  nextReward: null,
};

let given = NOTHING;

export const rules = async () => ({ offers: () => given });

export const give = (offers) => {
  given = { ...NOTHING, hasProgram: 'rewards' in offers, ...offers };
};

export const member = (points, rest = {}) => ({
  account: { points, pending: 0, spendable: points, tier: null, next: null, seq: 1, ...rest },
});

export const FIVE_OFF = {
  id: 'five',
  name: '5 off your order',
  kind: 'amount',
  points: 450,
  state: 'ready',
  choices: [{ points: 450, worth: 500 }],
};

export const IN_STEPS = {
  id: 'money',
  name: 'Points as money',
  kind: 'steps',
  points: 100,
  state: 'ready',
  choices: [
    { points: 100, worth: 100 },
    { points: 200, worth: 200 },
  ],
};
