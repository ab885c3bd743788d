// What samples come to, and that it is said in the words of the local shop's switches.

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { called, decode, NODE_TITLE, short } from '../src/echo.js';
import { judge } from '../src/judge.js';
import { report, SWITCHES } from '../src/report.js';

const root = path.resolve(import.meta.dirname, '../../../..');
const rust = readFileSync(path.join(root, 'tests/devshop/src/switches.rs'), 'utf8');

const echo = (rest = {}) => ({ authenticated: true, attribute: false, till: false, cart: 0, customer: 0, ...rest });
const INTERVAL = 5;
const BEGAN = 1_795_827_600;
/** Samples of runs, with what the Function saw of cart and customer in each. */
const samples = (runs) =>
  runs.map(([cart, customer, rest = {}], at) => ({
    began: BEGAN + at * INTERVAL,
    wrote: at + 1,
    echo: echo({ cart: cart && short(cart), customer: customer && short(customer), ...rest }),
  }));
const judged = (runs, more = {}) => judge(samples(runs), { interval: INTERVAL, isSignedIn: true, ...more });

test('the switches are those of the local shop, and their answers words of it', () => {
  const fields = rust.match(/pub struct Switches {([^}]*)}/)[1].matchAll(/pub (\w+):/g);
  expect(SWITCHES).toEqual([...fields].map(([, name]) => name));
  const words = [...rust.matchAll(/^ {4}(?:#\[default\]\n {4})?([A-Z]\w+)(?:\(u32\))?,$/gm)].map(([, name]) =>
    name.replace(/(?<!^)([A-Z])/g, '_$1').toLowerCase(),
  );
  for (const word of [
    'immediate', 'stale_for', 'candidate_message', 'node_title', 'as_signed_in', 'false_under_shop_pay', 'visible', 'hidden',
  ]) {
    expect(words).toContain(word);
  }
});

test.each([
  ['what each write changed', [[1], [2], [3]], 'immediate'],
  ['a write late', [[0], [1], [2]], { stale_for: 5 }],
  ['two writes late', [[0], [0], [1], [2]], { stale_for: 10 }],
  ['nothing at all', [[0], [0], [0]], { stale_for: 15 }],
  ['more writes than an echo has room for', Array.from({ length: 40 }, (_, at) => [at + 1]), 'immediate'],
])('a Function that sees of the cart %s', (_, runs, freshness) => {
  expect(judged(runs).cart_metafield_freshness).toEqual(freshness);
});

const OLD = BEGAN - 1_003;
test.each([
  ['the next run saw it', [[1, OLD], [2, BEGAN + 3], [3, BEGAN + 3]], 'immediate'],
  ['it was there from the first', [[1, 0], [2, BEGAN + 1]], 'immediate'],
  ['a run missed it', [[1, OLD], [2, OLD], [3, BEGAN + 3]], { stale_for: 7 }],
  ['a run came in the second in which it was written', [[1, OLD], [2, OLD], [3, BEGAN + 5]], 'immediate'],
  ['nobody wrote it', [[1, OLD], [2, OLD]], undefined],
  ['the customer has none', [[1], [2]], undefined],
])('a customer’s metafield: %s', (_, runs, freshness) => {
  expect(judged(runs).metafield_freshness).toEqual(freshness);
});

test('a customer’s metafield of which the extension knows the time may be older than an echo has room for', () => {
  const runs = samples([[1, OLD], [2, OLD], [3, OLD], [4, OLD], [5, BEGAN + 1]]);
  runs.at(-1).customer = BEGAN + 1;
  expect(judge(runs, { interval: INTERVAL, isSignedIn: true }).metafield_freshness).toEqual({ stale_for: 19 });
});

test('who is authenticated', () => {
  expect(judged([[1]]).authentication).toBe('as_signed_in');
  const not = [[1, 0, { authenticated: false }]];
  expect(judged(not).authentication).toBe('false_under_shop_pay');
  expect(judged(not, { isSignedIn: false }).authentication).toBeUndefined();
});

test('without an echo nothing is answered', () => {
  expect(judge([{ began: BEGAN, wrote: 1, echo: undefined }], { interval: INTERVAL, isSignedIn: true })).toEqual({});
  expect(judge([], { interval: INTERVAL, isSignedIn: true })).toEqual({});
});

test('every amount of an echo is read back, and no other', () => {
  const all = new Set();
  for (let amount = 1; amount <= 2048; amount++) all.add(decode(amount).message);
  expect(all.size).toBe(2048);
  for (const amount of [0, -1, 2049, 0.5, NaN, undefined]) expect(decode(amount)).toBeUndefined();
});

test('what the Function’s own test says is read so', () => {
  const lib = readFileSync(path.join(root, 'extensions/probe/echo/src/lib.rs'), 'utf8');
  const [, bits, message] = lib.match(/it\.message\(\)\.as_str\(\)\), \((\d+), "([^"]+)"\)/);
  expect(decode(Number(bits) + 1).message).toBe(message);
  expect(decode(Number(bits) + 1)).toMatchObject({ cart: short(7), customer: short(1_795_827_600), till: true });
});

test('a discount is called by its candidate, by its node, or by something else', () => {
  const seen = decode(1);
  expect(called(seen.message, seen)).toBe('candidate_message');
  expect(called(NODE_TITLE, seen)).toBe('node_title');
  expect(called('Loyalty points', seen)).toBeUndefined();
});

test('a report names what is answered and what is open', () => {
  const said = JSON.parse(report('x', { sandbox: { atob: 'absent' }, switches: { order_title: 'node_title', nonsense: 1 } }));
  expect(said.switches).toEqual({ order_title: 'node_title' });
  expect([...Object.keys(said.switches), ...said.open].sort()).toEqual([...SWITCHES].sort());
});
