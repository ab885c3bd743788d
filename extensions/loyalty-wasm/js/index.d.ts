/**
 * The rules, ready to be asked. The first of the two builds needs the bytes of `loyalty-wasm/rules.wasm`.
 *
 * `loyalty-wasm` takes WebAssembly where it can and JavaScript else, `loyalty-wasm/wasm` and `loyalty-wasm/js` are one of
 * them. `loyalty-wasm/wasm` rejects where there is no WebAssembly.
 */
export function rules(bytes?: BufferSource | Promise<BufferSource>): Promise<Rules>;

export interface Rules {
  /**
   * What points are worth to a cart. The metafields are `$app.account` of the customer and `$app.program_ui` of the
   * shop, each as its text or as its value. It never throws: what is missing, newer or broken reads as nothing.
   */
  offers(account: unknown, program: unknown, cart: Cart | null): Offers;
}

/** Money is in whole minor units of the cart's currency. */
export interface Cart {
  currency: string;
  lines: CartLine[];
  /** What the chosen delivery costs. */
  delivery?: number | null;
  /** The mark that the cart carries: the text of its attribute, or the id of the hold with its `attempt`. */
  mark?: string | null;
  attempt?: number;
}

export interface CartLine {
  /** The variant's and the product's ids, as `gid://shopify/…/7` or as `7`. */
  variant: string | number;
  product?: string | number | null;
  quantity: number;
  /** What one unit costs before discounts. */
  unit: number;
  /** What all units cost after discounts. */
  net: number;
  giftCard?: boolean;
}

export interface Offers {
  /** What the shop knows of the member; null for a guest, and where it is not understood. */
  account: Account | null;
  /** The points that this cart will earn; null in another currency than the shop's. */
  earns: number | null;
  hold: Hold | null;
  /** What the cart's mark is good for. A stale one names nothing that stands and should be taken away. */
  mark: 'none' | 'stands' | 'stale';
  rewards: Reward[];
  /** The reward that the fewest points are missing for. */
  nextReward: { id: string; name: string; missing: number } | null;
  /** The next tier that the member reaches by themselves: points earned or money spent, within so many days. */
  tierProgress: { next: string; measure: 'points' | 'spend'; atLeast: number; days: number } | null;
}

export interface Account {
  points: number;
  pending: number;
  /** What a new pick may use: it replaces the hold, whose points come back first. */
  spendable: number;
  /** The tier's id, and its name where the program has it. */
  tier: string | null;
  tierName: string | null;
  /** The points that expire next, and the first day on which they are gone: `2027-01-31`. */
  next: { points: number; at: string } | null;
  seq: number;
}

export interface Hold {
  id: string;
  kind: 'amount' | 'percent' | 'product' | 'shipping';
  points: number;
  currency: string;
  scope: 'cart' | 'next_order';
  /** Whether checkout gives its discount to this cart. */
  applies: boolean;
  /** What it takes off here, and what it costs if the order is placed as it is. */
  worth: number | null;
  costs: number | null;
}

export interface Reward {
  id: string;
  name: string;
  kind: 'amount' | 'steps' | 'percent' | 'product' | 'store_credit' | 'gift_card' | 'shipping';
  points: number;
  /** Only `ready` can be had. The app has the last word: it knows the time, what is left and how often it was had. */
  state:
    | 'ready'
    | 'not_in_currency'
    | 'other_tier'
    | 'other_segment'
    | 'short'
    | 'below_minimum'
    | 'nothing_to_take_off';
  /** Points, where it is short. */
  missing?: number;
  /** What the order must come to, where it is below that. */
  minimum?: number;
  /** The ways to have it, the least first; without terms in the cart's currency there are none. */
  choices: { points: number; worth: number | null }[];
}
