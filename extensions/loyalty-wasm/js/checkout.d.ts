import type { Account, Cart, Hold, Offers, Reward } from './index.d.ts';

/** The rules for the extension in the checkout, ready to be asked. */
export function rules(): Promise<CheckoutRules>;

export interface CheckoutRules {
  /** What a checkout shows of `Rules.offers`: the same, with less of it. It never throws. */
  offers(account: unknown, program: unknown, cart: Cart | null): CheckoutOffers;
}

export interface CheckoutOffers {
  account: Pick<Account, 'points' | 'pending'> | null;
  /** Whether the program is understood. */
  hasProgram: boolean;
  earns: Offers['earns'];
  hold: Pick<Hold, 'id' | 'kind' | 'points' | 'currency' | 'scope' | 'worth'> | null;
  /** Those that are `ready`. */
  rewards: Pick<Reward, 'id' | 'name' | 'choices'>[];
  nextReward: Pick<NonNullable<Offers['nextReward']>, 'name' | 'missing'> | null;
}
