// The rules for JavaScript say what the rules say: both builds are held against native Rust, where little is there.
//
// `cargo xtask test` builds what these need; `CASES` says how many inputs are made up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases, inRealm, NOT_PROMISED, wasm } from './builds.mjs';
import { workers } from './workers.mjs';

const COUNT = Number(process.env.CASES ?? 5_000);
const SEED = 20261127;

const BUILDS = {
  JavaScript: () => inRealm('js.js', { without: NOT_PROMISED }),
  WebAssembly: async () => inRealm('wasm.js', { without: ['BigInt', 'TextEncoder', 'TextDecoder'], bytes: await wasm() }),
};

const NOTHING = {
  account: null, earns: null, hold: null, mark: 'none', rewards: [], nextReward: null, tierProgress: null,
};

const cyclic = {};
cyclic.itself = cyclic;
const HOSTILE = [
  undefined, null, '', '{', '[]', '{"v":1}', 7, true, NaN, [], cyclic, () => 1, '\ud800', '"\\ud800"',
  { get v() { throw new Error('got'); } }, { toJSON: () => undefined }, '['.repeat(100_000), `"${'é'.repeat(1 << 20)}"`,
];

/** As one of this realm. */
const here = (value) => JSON.parse(JSON.stringify(value));

const ACCOUNT = { v: 1, seq: 3, points: 700, pending: 20, tier: 'gold' };
const PROGRAM = {
  v: 1, version: 1, currency: 'GBP', earn: { points: 1, per: 100 }, tiers: [{ id: 'gold', name: 'ذهبي 😀' }],
  rewards: [
    { id: 'five', name: 'Fünf', points: 450, benefit: { kind: 'amount', value: { GBP: 500 } } },
    { id: 'mug', name: 'Mug', points: 800, benefit: { kind: 'product', variant: 'gid://shopify/ProductVariant/7' } },
  ],
};
const LINE = { variant: 'gid://shopify/ProductVariant/7', product: 'gid://shopify/Product/3', quantity: 2, unit: 400, net: 800 };
const CART = { currency: 'GBP', lines: [LINE] };

for (const [name, rules] of Object.entries(BUILDS)) {
  test(`as ${name} the rules say what native Rust says of ${COUNT} inputs`, async () => {
    const { offers } = await rules();
    const all = await cases(SEED, COUNT);
    assert.equal(all.length, COUNT);
    for (const { account, program, cart, answer } of all) {
      assert.deepEqual(here(offers(account, program, cart)), answer, JSON.stringify({ account, program, cart }));
    }
    assert.ok(all.filter(({ answer }) => answer.rewards.some(({ state }) => state === 'ready')).length > COUNT / 20);
  });

  test(`as ${name} metafields are taken as text or as values, ids with or without their kind, marks in both ways`, async () => {
    const { offers } = await rules();
    const said = here(offers(ACCOUNT, PROGRAM, CART));
    assert.deepEqual(
      [said.account.tierName, said.earns, said.rewards.map(({ state }) => state)], ['ذهبي 😀', 8, ['ready', 'short']],
    );
    assert.deepEqual(said.nextReward, { id: 'mug', name: 'Mug', missing: 100 });
    assert.deepEqual(here(offers(JSON.stringify(ACCOUNT), JSON.stringify(PROGRAM), CART)), said);
    const rich = { ...ACCOUNT, points: 800 };
    const doubled = { ...PROGRAM, earn: { ...PROGRAM.earn, multipliers: [{ id: 'm', of: { products: [3] }, factor: 20_000 }] } };
    const known = here(offers(rich, doubled, CART));
    assert.deepEqual([known.earns, known.rewards[1].state], [16, 'ready']);
    assert.deepEqual(here(offers(rich, doubled, { ...CART, lines: [{ ...LINE, variant: 7, product: '3' }] })), known);
    const id = '0190a5c0ffee00000000000000000abc';
    const held = { ...ACCOUNT, hold: { id, scope: 'cart', kind: 'amount', points: 5, value: 5, cur: 'GBP', label: '' } };
    for (const mark of [{ mark: `${id}.2` }, { mark: id, attempt: 2 }]) {
      const { mark: state, hold } = here(offers(held, PROGRAM, { ...CART, ...mark }));
      assert.deepEqual([state, hold.id, hold.applies, hold.worth, hold.costs], ['stands', id, true, 5, 5]);
    }
  });

  test(`as ${name} what is missing, newer or broken reads as nothing`, async () => {
    const { offers } = await rules();
    const without = here(offers(ACCOUNT, null, CART));
    for (const broken of [...HOSTILE, { ...ACCOUNT, v: 2 }, JSON.stringify(ACCOUNT).slice(0, -1), { ...ACCOUNT, points: '700' }]) {
      assert.deepEqual(here(offers(broken, null, CART)), NOTHING);
    }
    for (const broken of [...HOSTILE, { ...PROGRAM, v: 2 }, JSON.stringify(PROGRAM).slice(0, -9), { ...PROGRAM, earn: [] }]) {
      assert.deepEqual(here(offers(ACCOUNT, broken, CART)), without);
    }
    const { account, rewards, earns } = here(offers(ACCOUNT, PROGRAM, null));
    for (const broken of [...HOSTILE, { ...CART, lines: 1 }, { ...CART, currency: 'gbp' }, { ...CART, lines: [{ ...LINE, net: 0.5 }] }]) {
      assert.deepEqual(here(offers(ACCOUNT, PROGRAM, broken)), { ...NOTHING, account });
    }
    assert.deepEqual([rewards, earns], [[], null]);
  });

  test(`as ${name} numbers at their ends are exact, and large texts neither harm nor stay`, async () => {
    const { offers } = await rules();
    const most = Number.MAX_SAFE_INTEGER;
    const { account } = here(offers({ ...ACCOUNT, points: most, pending: -most }, PROGRAM, CART));
    assert.deepEqual([account.points, account.pending, account.spendable], [most, -most, most]);
    const one = { ...LINE, quantity: 1 };
    for (const [unit, earns] of [[most, Math.floor(most / 100)], [-most, 0]]) {
      assert.equal(offers(ACCOUNT, PROGRAM, { ...CART, lines: [{ ...one, unit, net: unit }] }).earns, earns);
    }
    const long = { ...ACCOUNT, more: 'x'.repeat(10_000) };
    const said = here(offers(ACCOUNT, PROGRAM, CART));
    for (let times = 0; times < 300; times += 1) assert.deepEqual(here(offers(long, PROGRAM, CART)), said);
    const many = { ...PROGRAM, rewards: Array.from({ length: 2_000 }, (_, id) => ({ ...PROGRAM.rewards[0], id: `r${id}` })) };
    assert.equal(offers(ACCOUNT, many, CART).rewards.at(-1).id, 'r1999');
    assert.deepEqual(here(offers(ACCOUNT, PROGRAM, CART)), said);
  });
}

/** What a checkout is told of an answer; whether the program is understood, the answer does not say. */
const ofThat = ({ account, earns, hold, rewards, nextReward }) => ({
  account: account && { points: account.points, pending: account.pending },
  earns,
  hold: hold && {
    id: hold.id, kind: hold.kind, points: hold.points, currency: hold.currency, scope: hold.scope, worth: hold.worth,
  },
  rewards: rewards.filter(({ state }) => state === 'ready').map(({ id, name, choices }) => ({ id, name, choices })),
  nextReward: nextReward && { missing: nextReward.missing, name: nextReward.name },
});

test(`in the checkout they say what native Rust says of ${COUNT} inputs, as far as it is shown`, async () => {
  const { offers } = await inRealm('checkout.js', { without: NOT_PROMISED });
  const all = await cases(SEED + 2, COUNT);
  for (const { account, program, cart, answer } of all) {
    const given = JSON.stringify({ account, program, cart });
    const { hasProgram, ...said } = here(offers(account, program, cart));
    assert.deepEqual(said, ofThat(answer), given);
    assert.ok(hasProgram || answer.rewards.length === 0, given);
  }
  const shown = all.map(({ answer }) => ofThat(answer));
  assert.ok(shown.filter(({ rewards }) => rewards.length > 0).length > COUNT / 20);
  assert.ok(shown.filter(({ hold }) => hold?.worth > 0).length > COUNT / 20);
});

test('in the checkout what is missing, newer or broken reads as nothing, and a text is what it was', async () => {
  const { offers } = await inRealm('checkout.js', { without: NOT_PROMISED });
  const nothing = { hasProgram: false, ...ofThat(NOTHING) };
  assert.deepEqual(here(offers(ACCOUNT, PROGRAM, CART)).rewards, [
    { id: 'five', name: 'Fünf', choices: [{ points: 450, worth: 500 }] },
  ]);
  const without = here(offers(ACCOUNT, null, CART));
  assert.deepEqual([without.hasProgram, here(offers(ACCOUNT, PROGRAM, null)).hasProgram], [false, true]);
  const { account } = here(offers(ACCOUNT, PROGRAM, null));
  const half = { ...PROGRAM, rewards: [{ ...PROGRAM.rewards[0], name: '\ud83d' }] };
  assert.deepEqual([account, here(offers(ACCOUNT, half, CART)).rewards], [{ points: 700, pending: 20 }, []]);
  const hold = { id: '0190a5c0ffee00000000000000000abc', scope: 'cart', kind: 'amount', points: 5, value: 5, cur: 'GBP' };
  for (const broken of [...HOSTILE, { ...ACCOUNT, v: 2 }, { ...ACCOUNT, points: '700' }, { ...ACCOUNT, hold }]) {
    assert.deepEqual(here(offers(broken, null, CART)), nothing);
  }
  for (const broken of [...HOSTILE, { ...PROGRAM, v: 2 }, JSON.stringify(PROGRAM).slice(0, -9), { ...PROGRAM, earn: [] }]) {
    assert.deepEqual(here(offers(ACCOUNT, broken, CART)), without);
  }
  for (const broken of [...HOSTILE, { ...CART, lines: 1 }, { ...CART, currency: 'gbp' }, { ...CART, lines: [{ ...LINE, net: 0.5 }] }]) {
    assert.deepEqual(here(offers(ACCOUNT, PROGRAM, broken)), { ...nothing, hasProgram: true, account });
  }
  // What does not fit into the memory that there is reads as nothing, and leaves it as it was.
  assert.deepEqual(here(offers({ ...ACCOUNT, tier: 'x'.repeat(3 << 20) }, PROGRAM, CART)), nothing);
  const long = { ...ACCOUNT, more: 'x'.repeat(10_000) };
  const name = 'ß'.repeat(2_000);
  const many = { ...PROGRAM, rewards: Array.from({ length: 50 }, (_, id) => ({ ...PROGRAM.rewards[0], id: `r${id}`, name })) };
  for (let times = 0; times < 20; times += 1) assert.equal(offers(long, many, CART).rewards.at(-1).name, name);
});

test('the common entry takes WebAssembly where it is, and JavaScript where it is not or has no bytes', async () => {
  const bytes = await wasm();
  for (const options of [{ bytes }, { bytes, without: NOT_PROMISED }, {}, { bytes: new Uint8Array(8) }]) {
    const { offers } = await inRealm('index.js', options);
    assert.equal(offers(ACCOUNT, PROGRAM, CART).earns, 8);
  }
  await assert.rejects(inRealm('wasm.js', { bytes, without: NOT_PROMISED }));
});

const ask = workers(['js.js', 'wasm.js', 'index.js', 'checkout.js'], ({ offers }, { account, program, cart }) =>
  offers(account, program, cart));

for (const [entry, place] of [['js.js', '/strict'], ['wasm.js', ''], ['index.js', '/strict']]) {
  test(`in a worker of a browser ${entry} says what native Rust says (${place || 'anything goes'})`, async () => {
    const all = await cases(SEED + 1, 500);
    const answers = await ask(entry, place, all);
    all.forEach(({ answer }, at) => assert.deepEqual(answers[at], answer));
  });
}

test('in a worker of a browser the checkout is told what native Rust says', async () => {
  const all = await cases(SEED + 3, 500);
  const answers = await ask('checkout.js', '/strict', all);
  all.forEach(({ answer }, at) => {
    const { hasProgram, ...said } = answers[at];
    assert.deepEqual(said, ofThat(answer));
    assert.ok(hasProgram || answer.rewards.length === 0);
  });
});
