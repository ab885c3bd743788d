/** The rules for tills, ready to be asked. */
export function rules(): Promise<TillRules>;

/**
 * What a till keeps is handed over as it was stored, as text or as a value, and each answer has what is to be stored from
 * then on: store it before anything else. What is missing or broken reads as nothing kept: then `isNew` is true, and the
 * device needs a name that it never had. Times are milliseconds by the till's clock. Nothing throws; a question that is
 * none is `refused` as `not_understood` and changes nothing.
 */
export interface TillRules {
  /** Keeps what was done now, with the points that it will probably bring. Nothing is redeemed offline. */
  add(queue: unknown, act: Act, estimate: number, now: number): Kept & { sequence: number | null; refused: Refused | null };
  /** What to send to `POST /api/pos/queue` next: at most 100; nothing where nothing is left. */
  batch(queue: unknown): Kept & { operations: Operation[] };
  /**
   * Takes over the answer: `next` and `results`. What is settled is kept no more; ask for its customer's balance anew.
   * Where it `isRenamed`, the device must call itself by a name that it never had.
   */
  acknowledge(
    queue: unknown,
    answer: { next: number; results: Said[] },
  ): Kept & { settled: (Kinds & { sequence: number; at: number; said: Said })[]; isRenamed: boolean };
  /** What may be shown of a balance: what was known, when, and what will probably come beside. */
  shown(queue: unknown, customer: Id, known: { points: number; at: number } | null, now: number): Kept & Shown;
}

export interface Kept {
  /** To be stored. */
  queue: object;
  isNew: boolean;
}

/** Shopify's number, as `gid://shopify/…/7` or as `7`. */
export type Id = string | number;

export type Act = { kind: 'earn'; order: Id; customer: Id } | { kind: 'enrol'; customer: Id };

export type Refused = 'offline' | 'queue_full' | 'no_number' | 'not_understood';

export type Kinds =
  | { kind: 'earn'; order: number; customer: number }
  | { kind: 'enrol'; customer: number }
  | { kind: 'lost' };

/** As the app takes it. */
export type Operation = Kinds & { sequence: number; at: string };

/** What the app said of an operation. */
export interface Said {
  sequence: number;
  state: 'done' | 'waiting' | 'refused';
  code: string;
  because: string;
  points?: number;
}

export interface Shown {
  /** The points that the app last told of; null where it never did. */
  points: number | null;
  /** The points that will probably come beside: an estimate. */
  expected: number;
  /** How many milliseconds old the first is; null where nothing is known, or the clock went back. */
  age: number | null;
  /** Older than a day, or nobody knows how old. */
  isOld: boolean;
}
